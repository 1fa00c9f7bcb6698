"""Definitions of an account's cost categories."""

import json
from collections.abc import Iterator
from typing import Any

from cloudspend.accounts.model import Account
from cloudspend.collect.calls import COST_CATEGORIES, COST_CATEGORY
from cloudspend.collect.model import Days, Granularity
from cloudspend.collect.source import Ask, Found, Source, table
from cloudspend.lake.tables import Column


def read(ask: Ask, _: Account, asked: Days) -> Iterator[Found]:
    for page in ask(COST_CATEGORIES, {}):
        for reference in page.get("CostCategoryReferences", ()):
            arn = {"CostCategoryArn": reference["CostCategoryArn"]}
            (answer,) = ask(COST_CATEGORY, arn)
            yield asked.start, _row(answer["CostCategory"], reference)


def _row(category: dict[str, Any], reference: dict[str, Any]) -> dict[str, Any]:
    """Return the row of a category. Rules keep AWS's form, since expressions can be nested."""
    return {
        "name": category["Name"],
        "arn": category["CostCategoryArn"],
        "effective_start": category["EffectiveStart"],
        "effective_end": category.get("EffectiveEnd"),
        "default_value": category.get("DefaultValue"),
        "category_values": json.dumps(reference.get("Values", [])),
        "rules": json.dumps(category["Rules"]),
        "split_charge_rules": json.dumps(category.get("SplitChargeRules", [])),
    }


SOURCE = Source(
    name="cost_categories",
    table=table(
        "cost_categories",
        "The definitions of cost categories",
        Granularity.SNAPSHOT,
        Column("name", "string", "The category's name"),
        Column("arn", "string", "The category's ARN"),
        Column("effective_start", "string", "From when on it applies, in ISO 8601"),
        Column("effective_end", "string", "Until when it applies; null if it still does"),
        Column("default_value", "string", "The value of what no rule matches"),
        Column("category_values", "string", "Its values, as a JSON list"),
        Column("rules", "string", "Its rules as AWS writes them, as a JSON list"),
        Column("split_charge_rules", "string", "How shared costs are split, as a JSON list"),
    ),
    grain=Granularity.SNAPSHOT,
    key=("arn",),
    overlap=1,
    calls=(COST_CATEGORIES, COST_CATEGORY),
    read=read,
)
