"""An event as text that a person can act on: what, where, how much, what to do."""

from collections.abc import Mapping, Sequence
from typing import Any

from cloudspend.alerts import schema as s
from cloudspend.alerts.catalog import kind_of
from cloudspend.alerts.catalog.formatting import to_text
from cloudspend.alerts.ports import Message

# Amazon SNS API reference, Publish: ASCII, no line breaks, at most 100 characters.
MAX_SUBJECT = 100
MAX_ROWS = 20
MAX_CELL = 48
# The sentence ends with the reason, and the first step is the remedy.
SAID_ELSEWHERE = ("reason", "remedy")

Row = Mapping[str, Any]


def message_of(detail_type: str, detail: Mapping[str, Any]) -> Message:
    """The message for an event's `detail`. Raises Defect for an event that is not catalogued."""
    account, details = detail["account"], detail["details"]
    schemas = kind_of(detail_type).details
    sections = [
        detail["summary"],
        _facts(details, account, schemas),
        *[_table(key, details[key], schemas[key]) for key in details if _is_table(details[key])],
        _steps(detail["actions"]),
        f"Event {detail['event_id']}. Sent again, it bears the same number.",
    ]
    return Message(
        subject=_subject(detail_type, detail),
        text="\n\n".join(section for section in sections if section) + "\n",
        severity=detail["severity"],
        account_id=account["id"],
        detail_type=detail_type,
        detail=detail,
    )


def _subject(detail_type: str, detail: Mapping[str, Any]) -> str:
    """Severity and account first: a mail program cuts the end off."""
    account = detail["account"]
    period = detail["details"].get("period")
    what = f"{detail_type} {period}" if period else detail_type
    text = f"{detail['severity'].upper()}: {what}, {account['id']} {account['name']}"
    printable = "".join(c if " " <= c <= "~" else "?" for c in text)
    return printable[:MAX_SUBJECT].rstrip()


def _facts(details: Row, account: Row, schemas: Mapping[str, s.Schema]) -> str:
    """What the event says beside its sentence and its tables, one fact a line."""
    facts = {"account": f"{account['name']} ({account['id']}, {account['type']})"}
    for key, value in details.items():
        if value not in (None, "", []) and not _is_table(value) and key not in SAID_ELSEWHERE:
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
    """Figures stand to the right, so that their points are in one column."""
    aligned = [
        cell.rjust(width) if right else cell.ljust(width)
        for cell, width, right in zip(cells, widths, figures, strict=True)
    ]
    return f"  {'  '.join(aligned)}".rstrip()


def _steps(actions: Sequence[str]) -> str:
    if not actions:
        return "Nothing has to be done."
    steps = [f"  {number}. {action}" for number, action in enumerate(actions, 1)]
    return "\n".join(["What to do:", *steps])


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], Mapping)


def _label(key: str) -> str:
    return key.replace("_", " ")


def _cut(text: str) -> str:
    return text if len(text) <= MAX_CELL else f"{text[: MAX_CELL - 3]}..."
