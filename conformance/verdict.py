"""Which rules fail, held against the list of those that are known to."""

import json
from collections.abc import Mapping, Set
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow.parquet as pq

from cloudspend.accounts.model import ExportKind
from cloudspend.convert.focus.mappings import MAPPINGS
from conformance import validator
from conformance.dataset import CHARGE_CLASS, focus_dataset, without_null_class
from conformance.validator import Judgement

KNOWN = Path(__file__).with_name("failing.json")

ByKind = Mapping[ExportKind, Judgement]


def known() -> dict[str, set[ExportKind]]:
    """The rules that are known to fail, and for bills of which kinds; see docs."""
    listed: Mapping[str, list[str]] = json.loads(KNOWN.read_text(encoding="utf-8"))
    return {rule: {ExportKind(kind) for kind in kinds} for rule, kinds in listed.items()}


def judgements() -> ByKind:
    """Convert the bill from every kind and have it judged. Raises validator.NotJudged."""
    with TemporaryDirectory() as folder:
        paths = []
        for kind in MAPPINGS:
            dataset = focus_dataset(kind)
            for name, table in (("as-is", dataset), ("classed", without_null_class(dataset))):
                path = Path(folder) / f"{kind}-{name}.parquet"
                pq.write_table(table, path)
                paths.append(path)
        found = validator.judge(paths)
    return {
        kind: _both(*found[2 * number : 2 * number + 2]) for number, kind in enumerate(MAPPINGS)
    }


def differences(found: ByKind, listed: Mapping[str, Set[ExportKind]]) -> list[str]:
    """A sentence for each rule that fails and is not listed, or is listed and does not fail."""
    sentences = []
    for kind, judgement in found.items():
        expected = {rule for rule, kinds in listed.items() if kind in kinds}
        sentences += [
            f"{kind}: {rule} fails and is not listed: {judgement.failing[rule]}"
            for rule in sorted(judgement.failing.keys() - expected)
        ]
        sentences += [
            f"{kind}: {rule} is listed as failing and does not fail: take it off the list."
            for rule in sorted(expected - judgement.failing.keys())
        ]
    return sentences


def _both(as_is: Judgement, classed: Judgement) -> Judgement:
    """The stand-in for ChargeClass itself is no failure of ours."""
    of_stand_in = {
        rule: words
        for rule, words in classed.failing.items()
        if not rule.startswith(f"{CHARGE_CLASS}-")
    }
    return Judgement(as_is.rules, as_is.judged, {**of_stand_in, **as_is.failing})
