"""SQL statements from `.sql` files, and the shapes of their values."""

import re
from importlib.resources import files

from cloudspend.errors import Defect

# Values become part of the statement's text, because the state machine passes one text to Athena. A
# value of any other shape is refused, so nothing needs escaping.
SQL = "cloudspend.lake.sql"
GENERATION = r"\d{8}T\d{6}Z-[0-9a-f]{8}"
PERIOD = r"\d{4}-(0[1-9]|1[0-2])"
DAY = PERIOD + r"-(0[1-9]|[12]\d|3[01])"
SHAPES = {
    "account_id": r"\d{12}",
    "period": PERIOD,
    "previous_period": PERIOD,
    "next_period": PERIOD,
    "first_day": DAY,
    "end_day": DAY,
    "unsettled_day": DAY,
    "first_period": PERIOD,
    "notified_period": PERIOD,
    "since_day": DAY,
    "recent_day": DAY,
    "floor": r"\d+",
    "generation": GENERATION,
    "previous_generation": GENERATION,
}


def statement(name: str, package: str = SQL, **values: str) -> str:
    """Return the statement of `<name>.sql` with its `:names` bound. Raises Defect as `bind`
    does.
    """
    return bind((files(package) / f"{name}.sql").read_text("utf-8"), **values)


def bind(sql: str, **values: str) -> str:
    """Bind each `:name` in `sql` as a literal.

    Raises Defect for a value of the wrong shape, and for a name without a value.
    """
    for name, value in values.items():
        if not re.fullmatch(SHAPES[name], value):
            raise Defect(f"{value!r} cannot stand for {name} in a statement.", name=name)
    return re.sub(r"(?<![:\w]):([a-z_]+)", lambda found: _literal(found[1], values), sql)


def _literal(name: str, values: dict[str, str]) -> str:
    if name not in values:
        raise Defect(f"The statement has no value for {name}.", name=name)
    return f"'{values[name]}'"
