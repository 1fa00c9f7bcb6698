"""Broken and unusual CSV of every kind: the right error and nothing written, or the right rows."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from cloudspend.accounts.model import ExportKind
from cloudspend.convert.focus.mappings import MAPPINGS
from cloudspend.convert.focus.names import column_key
from cloudspend.errors import DeliveryError
from tests.corpus.bills import COLUMNS, FILE, KINDS, PACKED, converted, csv_of, rows

every_kind = pytest.mark.parametrize("kind", KINDS)
every_container = pytest.mark.parametrize("compression", PACKED)


def refused(kind: ExportKind, compression: str, body: bytes) -> DeliveryError:
    """The error, which must be one line that begins with the file and ends with what to do."""
    with pytest.raises(DeliveryError) as caught:
        converted(kind, compression, PACKED[compression](body))
    error = caught.value
    assert error.summary.startswith(FILE)
    assert error.details["file"] == FILE
    assert "\n" not in error.sentence
    assert error.remedy
    return error


# A value, the column it is in (by its role in every kind), and what is said of it.
WRONG_VALUES = [
    ("cost", "twelve", "not a number"),
    ("cost", "1e400", "not a number"),
    ("cost", "NaN", "not a number"),
    ("cost", "-inf", "not a number"),
    ("cost", "1_000", "not a number"),
    ("cost", "1,000", "not a number"),
    ("cost", "0x10", "not a number"),
    ("cost", "1\x00", "not a number"),
    ("cost", "1\n2", "not a number"),
    ("cost", "9" * 40, "outside the range of money"),
    ("cost", "\uff11\uff12", "outside the range of money"),
    ("cost", "", "missing"),
    ("account", "", "missing"),
    ("currency", "", "missing"),
    ("currency", "EUR", "another currency than USD"),
    ("category", "", "missing"),
    ("period", "", "missing"),
    ("period", "soon", "not a date"),
    ("period", "2026-13-01T00:00:00Z", "not a date"),
    ("period", "0001-01-01T00:00:00+23:59", "not a date"),
    ("period", "9999-12-31T23:59:59-23:59", "not a date"),
    ("period", "2026-09-01T00:00:00Z", "outside the billing period 2026-10"),
    ("charge_start", "", "missing"),
    ("charge_start", "2026-02-30T00:00:00Z", "not a date"),
    ("charge_start", "10000-01-01T00:00:00Z", "not a date"),
    ("charge_start", "1760000000", "not a date"),
]


def may_be_missing(kind: ExportKind, role: str) -> bool:
    needed = {column_key(name) for name in MAPPINGS[kind].required}
    return column_key(getattr(COLUMNS[kind], role)) not in needed


@pytest.mark.parametrize(
    ("kind", "role", "value", "says"),
    [
        (kind, *wrong)
        for kind in ExportKind
        for wrong in WRONG_VALUES
        if wrong[1] or not may_be_missing(kind, wrong[0])
    ],
)
def test_a_wrong_value_is_named_with_line_column_and_value(
    kind: ExportKind, role: str, value: str, says: str
) -> None:
    column = getattr(COLUMNS[kind], role)
    error = refused(kind, "gzip", csv_of(rows(kind, {}, {}, {column: value}, {})))
    assert says in error.summary
    assert (error.details["line"], error.details["column"]) == (4, column)
    assert error.details["value"] == (value or None)
    assert repr(value or None) in error.summary


def header_of(body: bytes) -> bytes:
    return body.split(b"\n", 1)[0]


# Name -> what is done to a file of three rows, the line that is named, and what is said.
WRONG_FILES: dict[str, tuple[Callable[[bytes], bytes], int | None, str]] = {
    "empty": (lambda _: b"", 1, "is missing"),
    "blank lines": (lambda _: b"\n\n\n", 1, "is missing"),
    "no header": (lambda body: body.split(b"\n", 1)[1], 1, ""),
    "a row too long": (
        lambda body: body.replace(b"\n", b",x\n").replace(b",x\n", b"\n", 1),
        2,
        "columns instead of",
    ),
    "a row too short": (lambda body: body + b"x\n", 5, "'x' has 1 columns instead of"),
    "cut within the last row": (lambda body: body[: body.rindex(b",")], 4, "columns instead of"),
    "a quote that stays open": (lambda body: body + b'"x', 5, "columns instead of"),
    "a quote in the header": (lambda body: b'"' + body, 1, "header cannot be read"),
    "UTF-16": (lambda body: body.decode().encode("utf-16"), 1, "header cannot be read"),
    "old line ends": (lambda body: body.replace(b"\n", b"\r"), 1, "header cannot be read"),
    "a column twice": (
        lambda body: header_of(body) + b"," + header_of(body).split(b",")[0] + b"\n",
        1,
        "twice",
    ),
    "twenty thousand columns": (
        lambda body: header_of(body) + b"".join(b",c%d" % n for n in range(20_000)) + b"\n1\n",
        2,
        "columns instead of",
    ),
    "more columns than a header holds": (
        lambda body: header_of(body) + b"".join(b",c%d" % n for n in range(200_000)) + b"\n",
        None,
        "the first line is longer",
    ),
    "a row without end": (lambda body: body + b"x" * 20_000_000, 5, "longer than 16777216 bytes"),
    "a quote without end": (lambda body: body + b'"' + b"x\n" * 10_000_000, 5, "longer than"),
}


@every_kind
@every_container
@pytest.mark.parametrize("fault", WRONG_FILES)
def test_a_wrong_file_is_named_with_its_line(
    kind: ExportKind, compression: str, fault: str
) -> None:
    change, line, says = WRONG_FILES[fault]
    error = refused(kind, compression, change(csv_of(rows(kind, {}, {}, {}))))
    assert error.details["line"] == line
    assert says in error.summary


@every_kind
def test_text_that_is_no_utf_8_is_named(kind: ExportKind) -> None:
    column = COLUMNS[kind].description
    body = csv_of(rows(kind, {column: "two\nlines"}, {column: "caf?"})).replace(b"caf?", b"caf\xe9")
    error = refused(kind, "gzip", body)
    assert (error.details["line"], error.details["column"]) == (4, column)
    assert r"caf\\xe9" in error.summary


@every_kind
def test_lines_are_right_after_a_quote_that_begins_no_value(kind: ExportKind) -> None:
    columns = COLUMNS[kind]
    table = rows(kind, {columns.description: "5? disk"}, {columns.description: "a\nb"}, {})
    body = csv_of([*table, {**table[0], columns.cost: "bad"}]).replace(b"5? disk", b'5" disk')
    assert refused(kind, "gzip", body).details["line"] == 6


GOOD: dict[str, Callable[[bytes], bytes]] = {
    "as AWS writes it": lambda body: body,
    "carriage returns": lambda body: body.replace(b"\n", b"\r\n"),
    "a byte order mark": lambda body: b"\xef\xbb\xbf" + body,
    "no newline at the end": lambda body: body.rstrip(b"\n"),
    "empty lines": lambda body: body.replace(b"\n", b"\n\n"),
}


@every_kind
@every_container
@pytest.mark.parametrize("form", GOOD)
def test_what_is_only_unusual_is_converted(kind: ExportKind, compression: str, form: str) -> None:
    body = GOOD[form](csv_of(rows(kind, {}, {}, {})))
    summary, objects = converted(kind, compression, PACKED[compression](body))
    assert (summary.rows_read, summary.billed_cost) == (3, Decimal("0.288"))
    assert len(objects) == 1


@every_kind
@every_container
@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n", b"\n\n"])
def test_a_header_alone_is_a_bill_without_rows(
    kind: ExportKind, compression: str, end: bytes
) -> None:
    body = header_of(csv_of(rows(kind, {}))) + end
    summary, objects = converted(kind, compression, PACKED[compression](body))
    assert (summary.rows_read, summary.billed_cost, summary.currency) == (0, 0, "")
    assert len(objects) == 1


@every_kind
@pytest.mark.parametrize("cost", ["1e-50", "1.0587911840678754e-25", "0." + "1" * 60])
def test_a_cost_of_more_digits_than_any_money_has_is_rounded(kind: ExportKind, cost: str) -> None:
    body = csv_of(rows(kind, {COLUMNS[kind].cost: cost}))
    summary, _ = converted(kind, "gzip", PACKED["gzip"](body))
    assert abs(summary.billed_cost - Decimal(cost)) <= Decimal("1e-38")
