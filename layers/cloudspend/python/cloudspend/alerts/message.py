"""Alerts as text that a person can act on: the news, the facts, and what to do."""

from collections.abc import Mapping, Sequence
from typing import Any

from cloudspend.alerts import schema as s
from cloudspend.alerts.catalog import kind_of
from cloudspend.alerts.catalog.event_type import EventDetails
from cloudspend.alerts.catalog.formatting import fill, title_words, to_text
from cloudspend.alerts.ports import Message

# Amazon SNS API reference, Publish: ASCII, no line breaks, fewer than 100 characters.
MAX_SUBJECT = 99
MAX_NAME = 40
MAX_ROWS = 20
MAX_CELL = 48
# Details that the sentence and the steps contain.
SHOWN_ELSEWHERE = ("reason", "remedy")

Row = Mapping[str, Any]


def message_of(detail_type: str, detail: Mapping[str, Any]) -> Message:
    """Return the message for an event's `detail`. Raises Defect for an unknown event."""
    account, details = detail["account"], detail["details"]
    kind = kind_of(detail_type)
    schemas = kind.schemas()
    sections = [
        detail["summary"],
        _facts(detail, schemas),
        *[_table(key, details[key], schemas[key]) for key in details if _is_table(details[key])],
        _steps(detail["actions"]),
        f"Event {detail['event_id']}. Retries carry the same event id.",
    ]
    return Message(
        subject=_subject(kind, detail),
        text="\n\n".join(section for section in sections if section) + "\n",
        severity=detail["severity"],
        account_id=account["id"],
        detail_type=detail_type,
        detail=detail,
    )


def _subject(kind: type[EventDetails], detail: Mapping[str, Any]) -> str:
    """Return the news: the account's name and the title of the event.

    Example: `Example Shop: November 2026's bill was restated, -3.24 USD (-0.5 %)`.
    """
    account, details = detail["account"], detail["details"]
    words = {name: to_text(details[name], schema) for name, schema in kind.schemas().items()}
    words |= {**title_words(details), "name": account["name"], "id": account["id"]}
    text = f"{_cut(account['name'], MAX_NAME)}: {fill(kind.title, words)}"
    printable = "".join(c if " " <= c <= "~" else "?" for c in text)
    return _cut(printable, MAX_SUBJECT)


def _facts(detail: Row, schemas: Mapping[str, s.Schema]) -> str:
    """Return the details that are not in the sentence or a table, one per line."""
    account = detail["account"]
    facts = {
        "account": f"{account['name']} ({account['id']}, {account['type']})",
        "severity": detail["severity"],
    }
    for key, value in detail["details"].items():
        if value not in (None, "", []) and not _is_table(value) and key not in SHOWN_ELSEWHERE:
            facts[_label(key)] = to_text(value, schemas[key])
    width = max(map(len, facts))
    return "\n".join(f"  {label.ljust(width)}  {value}" for label, value in facts.items())


def _table(name: str, rows: Sequence[Row], schema: s.Schema) -> str:
    columns = schema["items"]["properties"]
    shown = [[_cut(to_text(row[key], columns[key])) for key in columns] for row in rows[:MAX_ROWS]]
    lines = [[_label(key) for key in columns], *shown]
    widths = [max(len(line[i]) for line in lines) for i in range(len(columns))]
    figures = [kind is s.MONEY for kind in columns.values()]
    body = [_line(line, widths, figures) for line in lines]
    if len(rows) > MAX_ROWS:
        body.append(f"  and {len(rows) - MAX_ROWS} more")
    return "\n".join([f"{_label(name).capitalize()}:", *body])


def _line(cells: Sequence[str], widths: Sequence[int], figures: Sequence[bool]) -> str:
    """Return a line of a table. Figures are right-aligned."""
    aligned = [
        cell.rjust(width) if right else cell.ljust(width)
        for cell, width, right in zip(cells, widths, figures, strict=True)
    ]
    return f"  {'  '.join(aligned)}".rstrip()


def _steps(actions: Sequence[str]) -> str:
    if not actions:
        return "No action is needed."
    steps = [f"  {number}. {action}" for number, action in enumerate(actions, 1)]
    return "\n".join(["What to do:", *steps])


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], Mapping)


def _label(key: str) -> str:
    return key.replace("_", " ")


def _cut(text: str, most: int = MAX_CELL) -> str:
    return text if len(text) <= most else f"{text[: most - 3].rstrip()}..."
