"""Run koku-nise once for each order read from standard input, as a process of its own.

nise keeps state in classes, draws from the global random generators, writes to the working
directory and imports three clouds' SDKs: none of that belongs into the process that asks. With the
seed of an order, and `PYTHONHASHSEED` fixed by the caller, the same order gives the same rows.

Standard input is a JSON list of orders `{folder, seed, start, end, row_limit, static}`; `start` and
`end` are ISO 8601 moments, and `static` is nise's static report.
"""

import json
import os
import random
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from faker import Faker
from nise.report import aws_create_report


def _tag_columns(static: dict[str, Any]) -> set[str]:
    """nise only writes the tag columns that it is asked for, even if the resources carry more."""
    resources = [attributes for item in static["generators"] for attributes in item.values()]
    return {column for attributes in resources for column in attributes["tags"]}


def run(order: dict[str, Any]) -> None:
    """Leave one month's CSV files in the order's folder (nise names them itself)."""
    Path(order["folder"]).mkdir(parents=True, exist_ok=True)
    os.chdir(order["folder"])
    random.seed(order["seed"])
    Faker.seed(order["seed"])
    aws_create_report(
        {
            "start_date": datetime.fromisoformat(order["start"]),
            "end_date": datetime.fromisoformat(order["end"]),
            "static_report_data": order["static"],
            "aws_report_name": "bill",
            "aws_tags": _tag_columns(order["static"]),
            "row_limit": order["row_limit"],
            "write_monthly": True,
        }
    )


if __name__ == "__main__":
    for each in json.load(sys.stdin):
        run(each)
