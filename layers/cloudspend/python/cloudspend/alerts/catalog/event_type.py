"""Base class of all events, the types of their fields, and the schemas that follow from them."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from types import NoneType, UnionType
from typing import Annotated, Any, ClassVar, Union, get_args, get_origin, get_type_hints

import msgspec

from cloudspend.alerts import schema as s
from cloudspend.alerts.event import Severity

MAX_CELLS = 20
MAX_CHANGES = 200
MAX_NAMES = 200

QUERY_PERIODS = 'Look at the proof: cloudspend query "SELECT * FROM billing_periods".'


class Form:
    """The JSON schema of a field whose Python type allows more than the event does."""

    def __init__(self, schema: s.Schema) -> None:
        self.schema = schema


class Most:
    """The largest number of items in a list. Longer lists are cut, so put the largest first."""

    def __init__(self, items: int) -> None:
        self.items = items


Count = Annotated[int, Form(s.COUNT)]
Money = Annotated[Decimal, Form(s.MONEY)]
Currency = Annotated[str, Form(s.CURRENCY)]
Period = Annotated[str, Form(s.PERIOD)]
Names = Annotated[tuple[str, ...], Most(MAX_NAMES)]

_PLAIN: Mapping[type, s.Schema] = {str: s.TEXT, datetime: s.TIME, date: s.DAY}


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """An object within an event, for example a row of a list."""


class EventDetails(msgspec.Struct, frozen=True, kw_only=True):
    """Details of one kind of event; the class name is the detail type.

    Texts are templates over the fields and over `{name}` and `{id}` of the account. A part in
    square brackets is left out when one of its fields has no value: "It ended[ on {day}]." Titles
    can also use `{month}` (the period in words), `{change}` (the difference with its sign) and
    `{percent}`.
    """

    # None where each event has a severity of its own.
    severity: ClassVar[Severity | None]
    # The subject of the alert, without the account's name: the news in a few words.
    title: ClassVar[str]
    # The summary: one or two sentences.
    sentence: ClassVar[str]
    # What to do, in order. An action that comes out empty is left out.
    actions: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def schemas(cls) -> dict[str, s.Schema]:
        """Return the JSON schema of each field, in order."""
        return _schemas(cls)

    @classmethod
    def limits(cls) -> dict[str, int]:
        """Return the largest number of items of each list."""
        return {
            name: schema["maxItems"]
            for name, schema in _schemas(cls).items()
            if "maxItems" in schema
        }


def _schemas(kind: type[msgspec.Struct]) -> dict[str, s.Schema]:
    hints = get_type_hints(kind, include_extras=True)
    return {name: _schema(hints[name]) for name in kind.__struct_fields__}


def _schema(hint: Any) -> s.Schema:
    """Return the schema of a field's type. Raises TypeError for a type that events cannot have."""
    if get_origin(hint) is Annotated:
        base, mark = get_args(hint)[:2]
        if isinstance(mark, Form):
            return mark.schema
        return s.listing(_schema(get_args(base)[0]), mark.items)
    if get_origin(hint) in (Union, UnionType):
        (known,) = [arm for arm in get_args(hint) if arm is not NoneType]
        return s.nullable(_schema(known))
    if hint in _PLAIN:
        return _PLAIN[hint]
    if issubclass(hint, StrEnum):
        return s.one_of(hint)
    if issubclass(hint, msgspec.Struct):
        return s.obj(**_schemas(hint))
    raise TypeError(f"An event cannot have a field of type {hint}.")
