"""Names of charges in CUR and Cost Explorer, mapped to one vocabulary.

The names are data in `words/`, each with its source. Unlisted names are never guessed: an unknown
charge type becomes `UNMAPPED`, and an unknown service keeps its name.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

UNMAPPED = "unmapped"


@dataclass(frozen=True)
class ServiceSplit:
    """A service of CUR that Cost Explorer shows as two, by usage family.

    `families` belong to `chosen`; all others to `otherwise`, where `others` are the certain ones.
    """

    codes: frozenset[str]
    families: frozenset[str]
    chosen: str
    otherwise: str
    others: frozenset[str] = frozenset()

    def service(self, family: str) -> str:
        """Return the service of a usage family."""
        return self.chosen if family in self.families else self.otherwise

    def assigns(self, family: str) -> bool:
        """Return whether the service of the usage family is certain."""
        return family in self.families or family in self.others

    def counterpart(self, service: str) -> str:
        """Return the other one of the two services; any other service itself."""
        pair = {self.chosen: self.otherwise, self.otherwise: self.chosen}
        return pair.get(service, service)


@dataclass(frozen=True)
class Vocabulary:
    """Mappings from the names of both sides to the vocabulary."""

    lake_types: Mapping[str, str]
    cost_explorer_types: Mapping[str, str]
    booked_under: Mapping[str, str]
    by_code: Mapping[str, str]
    by_name: Mapping[str, str]
    split: ServiceSplit
    not_in_exports: frozenset[str] = frozenset()

    def lake_charge_type(self, name: str) -> str:
        """Return the charge type of a CUR line item type, or UNMAPPED."""
        return self.lake_types.get(name, UNMAPPED)

    def cost_explorer_charge_type(self, name: str) -> str:
        """Return the charge type of a Cost Explorer record type, or UNMAPPED."""
        return self.cost_explorer_types.get(name, UNMAPPED)

    def lake_service(self, code: str, name: str, family: str, charge_type: str) -> str:
        """Return Cost Explorer's service for a product code and name, a usage family and a charge
        type.
        """
        if charge_type in self.booked_under:
            return self.booked_under[charge_type]
        if code in self.split.codes:
            return self.split.service(family)
        return self.by_code.get(code) or self.by_name.get(name) or name or code

    def cost_explorer_service(self, name: str, charge_type: str) -> str:
        """Return the canonical name of a service that Cost Explorer has renamed."""
        return self.booked_under.get(charge_type) or self.by_name.get(name, name)


@cache
def vocabulary() -> Vocabulary:
    """Return CloudSpend's vocabulary."""
    types = _words("record_types.json")
    services = _words("services.json")
    split = services["split"]
    return Vocabulary(
        lake_types=_index(types, "lake", "charge_type"),
        cost_explorer_types=_index(types, "cost_explorer", "charge_type"),
        booked_under={t["charge_type"]: t["service"] for t in types if "service" in t},
        by_code=_index(services["services"], "codes", "service"),
        by_name=_index(services["services"], "also", "service"),
        split=ServiceSplit(
            codes=frozenset(split["codes"]),
            families=frozenset(split["families"]),
            chosen=split["chosen"],
            otherwise=split["otherwise"],
            others=frozenset(split["others"]),
        ),
        not_in_exports=frozenset(each["service"] for each in services["not_in_exports"]),
    )


def _words(file: str) -> Any:
    return json.loads(resources.files(__package__).joinpath("words", file).read_text("utf-8"))


def _index(entries: list[dict[str, Any]], many: str, one: str) -> dict[str, str]:
    return {word: entry[one] for entry in entries for word in entry[many]}
