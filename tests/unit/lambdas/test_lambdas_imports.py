"""What a function loads before its first event: each import is paid for at every cold start."""

import json
import subprocess
import sys
from pathlib import Path
from sysconfig import get_path

import pytest

ROOT = Path(__file__).parents[3]
CODE = """
import json, sys
import {handler}
print(json.dumps([name for name, m in sorted(sys.modules.items()) if hasattr(m, "__file__")]))
"""

# What the hot path is made of: the SDK, the engine, the logger, and what those bring. certifi is
# taken by botocore where it is there, which is not on Lambda.
THIRD_PARTY = {
    "aws_lambda_powertools",
    "boto3",
    "botocore",
    "certifi",
    "dateutil",
    "isal",
    "jmespath",
    "msgspec",
    "numpy",
    "pyarrow",
    "s3transfer",
    "six",
    "typing_extensions",
    "urllib3",
}
ROOMS = {
    "accounts",
    "alerts",
    "aws",
    "convert",
    "errors",
    "exports",
    "ingest",
    "lake",
    "payloads",
    "settings",
    "wiring",
}


def loaded(handler: str) -> set[str]:
    """The modules that are there once `handler` is imported in a fresh process."""
    library = ROOT / "layers" / "cloudspend" / "python"
    paths = [str(path) for path in (ROOT / "lambdas", library, get_path("platlib"))]
    code = f"import sys; sys.path[:0] = {paths!r}\n{CODE.format(handler=handler)}"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stdout))


@pytest.fixture(scope="module")
def convert() -> set[str]:
    return loaded("ingest_convert")


def test_the_conversion_loads_nothing_that_it_does_not_use(convert: set[str]) -> None:
    packages = {name.partition(".")[0] for name in convert if not name.startswith("_")}
    assert packages - sys.stdlib_module_names - {"cloudspend", "ingest_convert"} <= THIRD_PARTY


def test_the_conversion_loads_the_rooms_that_it_works_in_only(convert: set[str]) -> None:
    rooms = {name.split(".")[1] for name in convert if name.startswith("cloudspend.")}
    assert rooms <= ROOMS


def test_no_adapter_is_loaded_before_it_is_needed(convert: set[str]) -> None:
    assert not {
        name for name in convert if name.startswith("cloudspend.") and name.endswith(".aws")
    }


def test_a_light_function_does_not_load_the_engine() -> None:
    assert not {name for name in loaded("alerts_notify") if name.startswith(("pyarrow", "numpy"))}
