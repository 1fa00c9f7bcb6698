"""Read a list of accounts to invite: a CSV table or a YAML list.

Values are read as text with their line numbers, so that errors can be located. YAML's own types are
ignored: an account id would lose its leading zeros. `cloudspend.accounts.importing` interprets the
values.
"""

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import yaml

MAX_TEXT = 80
SEPARATOR = ";"
FORMS = "a file whose name ends in .csv, .yaml or .yml"

Value = str | tuple[str, ...]


@dataclass(frozen=True)
class Entry:
    """One account of the file: its first line, and its values by column. Empty values are left
    out.
    """

    line: int
    said: Mapping[str, Value]


@dataclass(frozen=True)
class Problem:
    """An error in one field; `allowed` describes the valid values."""

    line: int
    field: str
    value: str
    allowed: str


@dataclass(frozen=True)
class Sheet:
    """The content of a file, with the errors of its form."""

    entries: tuple[Entry, ...] = ()
    problems: tuple[Problem, ...] = ()


def read_sheet(name: str, text: str, columns: Sequence[str], lists: frozenset[str]) -> Sheet:
    """Read the accounts of the file `name`.

    `columns` are the allowed columns. Those in `lists` contain several values, separated by
    semicolons in CSV.
    """
    reader = READERS.get(PurePath(name).suffix.lower())
    if reader is None:
        return Sheet(problems=(Problem(0, "file name", name[-MAX_TEXT:], FORMS),))
    entries: list[Entry] = []
    problems: list[Problem] = []
    for found in reader(text.removeprefix("\ufeff")):
        if isinstance(found, Problem):
            problems.append(found)
            continue
        entries.append(_tidy(found, lists))
        problems += [
            Problem(found.line, column, _short(found.said[column]), _one_of(columns))
            for column in found.said
            if column not in columns
        ]
    if not entries and not problems:
        problems.append(Problem(0, "file", "", "at least one account"))
    return Sheet(tuple(entries), tuple(problems))


def _from_csv(text: str) -> Iterator[Entry | Problem]:
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip() for name in next(rows, [])]
        if len(set(header)) < len(header):
            yield Problem(1, "header", ", ".join(header)[:MAX_TEXT], "each column once")
            return
        before = rows.line_num
        for row in rows:
            line, before = before + 1, rows.line_num
            if not any(cell.strip() for cell in row):
                continue
            if len(row) > len(header):
                extra = ", ".join(row[len(header) :])[:MAX_TEXT]
                yield Problem(
                    line, "row", extra, f"{len(header)} cells, as the header has; quote commas"
                )
            yield Entry(line, dict(zip(header, row, strict=False)))
    except csv.Error as error:
        yield Problem(rows.line_num, "row", str(error)[:MAX_TEXT], "CSV as RFC 4180 describes it")


def _from_yaml(text: str) -> Iterator[Entry | Problem]:
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        reason = str(getattr(error, "problem", None) or error)[:MAX_TEXT]
        yield Problem(mark.line + 1 if mark else 0, "file", reason, "YAML")
        return
    if not isinstance(root, yaml.SequenceNode):
        yield Problem(1, "file", "", "a list of accounts, each beginning with '- '")
        return
    for node in root.value:
        line = node.start_mark.line + 1
        if isinstance(node, yaml.MappingNode):
            yield from _of_mapping(node, line)
        else:
            yield Problem(line, "account", _text(node)[:MAX_TEXT], "columns with their values")


def _of_mapping(node: Any, line: int) -> Iterator[Entry | Problem]:
    said: dict[str, Value] = {}
    for key, value in node.value:
        name, at = _text(key), key.start_mark.line + 1
        if name in said:
            yield Problem(at, name, _text(value)[:MAX_TEXT], "each column once")
        elif isinstance(value, yaml.ScalarNode):
            said[name] = "" if value.tag.endswith(":null") else _text(value)
        elif isinstance(value, yaml.SequenceNode) and _all_scalars(value):
            said[name] = tuple(_text(item) for item in value.value)
        else:
            yield Problem(at, name, "", "a text or a list of texts")
    yield Entry(line, said)


READERS: Mapping[str, Callable[[str], Iterator[Entry | Problem]]] = {
    ".csv": _from_csv,
    ".yaml": _from_yaml,
    ".yml": _from_yaml,
}


def _tidy(entry: Entry, lists: frozenset[str]) -> Entry:
    """Strip blanks, remove empty values, and convert lists to tuples."""
    said: dict[str, Value] = {}
    for column, value in entry.said.items():
        parts = value.split(SEPARATOR) if isinstance(value, str) and column in lists else value
        if isinstance(parts, str):
            tidied: Value = parts.strip()
        else:
            tidied = tuple(part.strip() for part in parts if part.strip())
        if tidied:
            said[column] = tidied
    return Entry(entry.line, said)


def _all_scalars(node: Any) -> bool:
    return all(isinstance(item, yaml.ScalarNode) for item in node.value)


def _text(node: Any) -> str:
    return str(node.value) if isinstance(node, yaml.ScalarNode) else ""


def _short(value: Value) -> str:
    text = value if isinstance(value, str) else SEPARATOR.join(value)
    return text[:MAX_TEXT]


def _one_of(columns: Sequence[str]) -> str:
    return "a column of these: " + ", ".join(columns)
