"""Validation of account fields for invitations, changes and lists."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from cloudspend.accounts import fields as rules
from cloudspend.accounts.model import ExportKind


@dataclass(frozen=True)
class AccountFields:
    """Fields that an operator can set at any time, as text.

    None: not given. An empty list or text clears the field.
    """

    display_name: str | None = None
    regions: Sequence[str] | None = None
    start_date: str | None = None
    retention_months: str | int | None = None
    contacts: Sequence[str] | None = None
    owner: str | None = None
    cost_centre: str | None = None
    notes: str | None = None
    billing_detail: bool | None = None
    tag_columns: Sequence[str] | None = None
    fresh_hours: str | int | None = None


@dataclass(frozen=True)
class ValidationContext:
    """Values that validation depends on: known regions, today's date, and the export."""

    known_regions: frozenset[str]
    today: date
    export_kind: ExportKind


RULES: Mapping[str, Callable[[Any, ValidationContext], Any]] = {
    "display_name": lambda text, _: rules.display_name(text),
    "regions": lambda texts, ground: rules.regions(texts, ground.known_regions),
    "start_date": lambda text, ground: rules.start_date(text, ground.today),
    "retention_months": lambda text, _: rules.retention_months(text),
    "contacts": lambda texts, _: rules.contacts(texts),
    "owner": lambda text, _: rules.line("owner", text),
    "cost_centre": lambda text, _: rules.line("cost centre", text),
    "notes": lambda text, _: rules.notes(text),
    "billing_detail": lambda flag, ground: rules.billing_detail(flag, ground.export_kind),
    "tag_columns": lambda texts, _: rules.tag_columns(texts),
    "fresh_hours": lambda text, _: rules.freshness_hours(text),
}


def validate(said: AccountFields, ground: ValidationContext) -> dict[str, Any]:
    """Return the given fields in the form of an account. Raises UsageError for the first invalid
    one.
    """
    given = {one.name: getattr(said, one.name) for one in fields(AccountFields)}
    return {name: RULES[name](value, ground) for name, value in given.items() if value is not None}
