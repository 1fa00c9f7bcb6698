"""Seams: what is replaced must be there, and the version is the pinned one."""

import types

import pytest

from local.cloud import seams


def module() -> types.ModuleType:
    found = types.ModuleType("emulator")
    found.double = lambda number: 2 * number  # type: ignore[attr-defined]
    found.script = "raise; report"  # type: ignore[attr-defined]
    return found


def test_a_wrapper_gets_the_original_and_its_arguments() -> None:
    emulator = module()
    seams.around(emulator, "double", lambda original, number: original(number) + 1)
    assert emulator.double(4) == 9


def test_a_method_is_wrapped_with_its_object() -> None:
    class Worker:
        def name(self) -> str:
            return "worker"

    seams.around(Worker, "name", lambda original, worker: original(worker).upper())
    assert Worker().name() == "WORKER"


def test_a_missing_function_is_named() -> None:
    with pytest.raises(seams.SeamMissing, match=r"emulator\.triple"):
        seams.around(module(), "triple", lambda original: original())


def test_a_text_must_hold_the_passage_exactly_once() -> None:
    emulator = module()
    seams.replace_text(emulator, "script", "report", "keep")
    assert emulator.script == "raise; keep"
    with pytest.raises(seams.SeamMissing, match="exactly once"):
        seams.replace_text(emulator, "script", "report", "keep")


def test_another_version_is_refused_with_what_to_do() -> None:
    seams.require_version(seams.VERSION)
    with pytest.raises(seams.SeamMissing, match=r"pip install -r requirements-dev\.txt"):
        seams.require_version("9.9.9")
