"""Run by the validator's own Python: judges datasets, writes JSON to standard output.

    python -I judge.py DATASET...

One line a dataset: `{"rules": how many the model has, "judged": how many of them the validator can
check, "failing": {rule: what it asks}}`. Rules that only gather others are left out of `failing`.
"""

import json
import logging
import os
import sys
from pathlib import Path
from typing import Any

import focus_validator
from focus_validator.validator import Validator


class _Silence:
    """Takes the place of the validator's report: what it found is returned already."""

    def write(self, _results: Any) -> "_Silence":
        return self


def main(datasets: list[str]) -> None:
    logging.disable(logging.CRITICAL)
    paths = [str(Path(dataset).resolve()) for dataset in datasets]
    # The validator looks for its list of currencies below the working directory.
    os.chdir(Path(focus_validator.__file__).parents[1])
    for path in paths:
        sys.stdout.write(json.dumps(judged(path)) + "\n")


def judged(dataset: str) -> dict[str, Any]:
    """What the FOCUS 1.2 rules that come with the validator say of a Parquet file."""
    validator = Validator(
        data_filename=dataset,
        output_destination=None,
        output_type="console",
        focus_dataset="CostAndUsage",
        rules_version="1.2",
        rules_block_remote_download=True,
        applicability_criteria="ALL",
    )
    validator.outputter = _Silence()
    results = validator.validate()
    checked = {
        rule: entry
        for rule, entry in results.by_rule_id.items()
        if not entry.get("details", {}).get("skipped")
    }
    failing = {
        rule: results.rules[rule].validation_criteria.must_satisfy
        for rule, entry in checked.items()
        if not entry["ok"] and results.rules[rule].function != "Composite"
    }
    return {"rules": len(results.rules), "judged": len(checked), "failing": failing}


if __name__ == "__main__":
    main(sys.argv[1:])
