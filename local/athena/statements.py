"""What a query asks for: Athena's text as one of a few kinds of statement.

Trino's statements are parsed by sqlglot; Athena's own (SHOW, DESCRIBE, UNLOAD, PREPARE, partitions)
have no parser there and are recognized by their first words.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from local.athena import dialect
from local.athena.failures import RequestRefused


@dataclass(frozen=True)
class Name:
    """A table's or view's name; without a database it is looked up in the query's own."""

    name: str
    database: str = ""


@dataclass(frozen=True)
class Statement:
    """Base of all; `type` and `substatement` are what GetQueryExecution reports."""

    type = "UTILITY"
    substatement = ""


@dataclass(frozen=True)
class Select(Statement):
    sql: str
    tree: exp.Expr = field(compare=False)
    type = "DML"
    substatement = "SELECT"


@dataclass(frozen=True)
class Insert(Statement):
    target: Name
    columns: tuple[str, ...]
    query: Select
    type = "DML"
    substatement = "INSERT"


@dataclass(frozen=True)
class Unload(Statement):
    query: Select
    location: str
    options: Mapping[str, str]
    partitioned_by: tuple[str, ...] = ()
    type = "DML"
    substatement = "UNLOAD"


@dataclass(frozen=True)
class CreateTableAs(Statement):
    target: Name
    query: Select
    options: Mapping[str, str]
    partitioned_by: tuple[str, ...] = ()
    if_not_exists: bool = False
    type = "DDL"
    substatement = "CREATE_TABLE_AS_SELECT"


@dataclass(frozen=True)
class CreateView(Statement):
    target: Name
    query: Select
    replace: bool
    type = "DDL"
    substatement = "CREATE_VIEW"


@dataclass(frozen=True)
class Drop(Statement):
    target: Name
    view: bool
    if_exists: bool
    type = "DDL"
    substatement = "DROP"


@dataclass(frozen=True)
class Partitions(Statement):
    """ALTER TABLE ... ADD | DROP PARTITION (k = 'v', ...) [LOCATION '...']."""

    target: Name
    add: bool
    lenient: bool
    values: Mapping[str, str]
    location: str
    type = "DDL"
    substatement = "ALTER_TABLE"


@dataclass(frozen=True)
class Show(Statement):
    """SHOW ... and DESCRIBE; `what` is databases, tables, views, partitions, columns, describe,
    view (its SQL) or table (its DDL)."""

    what: str
    target: Name
    pattern: str = ""


@dataclass(frozen=True)
class Prepare(Statement):
    name: str
    query: str


@dataclass(frozen=True)
class Execute(Statement):
    name: str
    parameters: tuple[str, ...]
    type = "DML"
    substatement = "EXECUTE"


@dataclass(frozen=True)
class Deallocate(Statement):
    name: str


@dataclass(frozen=True)
class Foreign(Statement):
    """DDL that ministack already understands (CREATE EXTERNAL TABLE), handed on as it is."""

    sql: str
    type = "DDL"
    substatement = "CREATE_TABLE"


_ID = r'[`"]?([A-Za-z0-9_$-]+)[`"]?'
_NAME = rf"(?:{_ID}\s*\.\s*)?{_ID}"
_COMMENT = re.compile(r"\A(?:\s+|--[^\n]*(?:\n|\Z)|/\*.*?\*/)+", re.DOTALL)


def read(sql: str) -> Statement:
    """The statement in `sql`. Raises RequestRefused for what Athena would not take."""
    text = _COMMENT.sub("", sql).rstrip().rstrip(";").rstrip()
    if not text:
        raise RequestRefused("QueryString is empty", athena_code="MALFORMED_QUERY")
    for pattern, build in _FORMS:
        found = re.fullmatch(pattern, text, re.IGNORECASE | re.DOTALL)
        if found:
            return build(found)
    return _parsed(sql)


def _parsed(sql: str) -> Statement:
    tree = dialect.parse(sql)
    if isinstance(tree, exp.Query):
        return Select(sql, tree)
    if isinstance(tree, exp.Create) and tree.kind == "VIEW" and tree.expression:
        query = Select(tree.expression.sql("athena"), tree.expression)
        return CreateView(_name(tree.this), query, bool(tree.args.get("replace")))
    if isinstance(tree, exp.Create) and tree.kind == "TABLE" and tree.expression:
        return _create_table_as(sql, tree)
    if isinstance(tree, exp.Insert) and isinstance(tree.expression, exp.Query | exp.Values):
        return _insert(sql, tree)
    if isinstance(tree, exp.Drop) and tree.kind in ("VIEW", "TABLE"):
        return Drop(_name(tree), tree.kind == "VIEW", bool(tree.args.get("exists")))
    raise RequestRefused("Queries of this type are not supported")


def _name(node: exp.Expr) -> Name:
    table = node if isinstance(node, exp.Table) else node.find(exp.Table)
    if table is None:
        raise RequestRefused("Queries of this type are not supported")
    return Name(table.name.lower(), table.db.lower())


def _create_table_as(sql: str, tree: exp.Create) -> CreateTableAs:
    options, partitioned_by = {}, ()
    for each in tree.find_all(exp.Property):
        value = each.args.get("value") or each.this
        if isinstance(each, exp.PartitionedByProperty):
            partitioned_by = tuple(item.name.lower() for item in each.this.expressions)
        elif each.name:
            options[each.name.lower()] = value.name
        if isinstance(each, exp.FileFormatProperty):
            options["format"] = each.this.name
    query = Select(sql, tree.expression)
    return CreateTableAs(
        _name(tree.this), query, options, partitioned_by, bool(tree.args.get("exists"))
    )


def _insert(sql: str, tree: exp.Insert) -> Insert:
    columns = tree.this.expressions if isinstance(tree.this, exp.Schema) else []
    query = tree.expression
    if isinstance(query, exp.Values):
        query = exp.select("*").from_(query)
    return Insert(_name(tree.this), tuple(c.name.lower() for c in columns), Select(sql, query))


def _pair(found: "re.Match[str]", first: int = 1) -> Name:
    return Name(found[first + 1].lower(), (found[first] or "").lower())


def _unload(found: "re.Match[str]") -> Statement:
    query = dialect.parse(found[1])
    options = {k.lower(): v for k, v in re.findall(r"(\w+)\s*=\s*'([^']*)'", found[3] or "")}
    by = re.search(r"partitioned_by\s*=\s*ARRAY\s*\[([^\]]*)\]", found[3] or "", re.IGNORECASE)
    names = tuple(name.lower() for name in re.findall(r"'([^']*)'", by[1])) if by else ()
    return Unload(Select(found[1], query), found[2], options, names)


def _partitions(found: "re.Match[str]") -> Statement:
    values = re.findall(r"[`\"]?(\w+)[`\"]?\s*=\s*'?([^',]*)'?", found[5])
    return Partitions(
        target=_pair(found),
        add=found[3].upper() == "ADD",
        lenient=bool(found[4]),
        values={key.lower(): value.strip() for key, value in values},
        location=found[6] or "",
    )


def _execute(found: "re.Match[str]") -> Statement:
    if not found[2]:
        return Execute(found[1].lower(), ())
    tree = dialect.parse(f"SELECT {found[2]}")
    return Execute(found[1].lower(), tuple(each.sql("athena") for each in tree.expressions))


def _show(what: str) -> "Builder":
    def build(found: "re.Match[str]") -> Statement:
        groups = found.groupdict()
        target = Name((groups.get("name") or "").lower(), (groups.get("database") or "").lower())
        return Show(what, target, groups.get("pattern") or "")

    return build


Builder = Callable[["re.Match[str]"], Statement]

_OF = r"(?:[`\"]?(?P<database>[\w-]+)[`\"]?\s*\.\s*)?[`\"]?(?P<name>[\w-]+)[`\"]?"
_IN = r"(?:\s+(?:IN|FROM)\s+[`\"]?(?P<database>[\w-]+)[`\"]?)?"
_LIKE = r"(?:\s+(?:LIKE\s+)?'(?P<pattern>[^']*)')?"
_ALTER = (
    rf"ALTER\s+TABLE\s+{_NAME}\s+(ADD|DROP)\s+(IF\s+(?:NOT\s+)?EXISTS\s+)?"
    r"PARTITION\s*\(([^)]*)\)(?:\s*LOCATION\s*'([^']+)')?"
)
_FORMS: Sequence[tuple[str, Builder]] = (
    (rf"SHOW\s+(?:DATABASES|SCHEMAS){_LIKE}", _show("databases")),
    (rf"SHOW\s+TABLES{_IN}{_LIKE}", _show("tables")),
    (rf"SHOW\s+VIEWS{_IN}{_LIKE}", _show("views")),
    (rf"SHOW\s+PARTITIONS\s+{_OF}", _show("partitions")),
    (rf"SHOW\s+COLUMNS\s+(?:IN|FROM)\s+{_OF}", _show("columns")),
    (rf"SHOW\s+CREATE\s+VIEW\s+{_OF}", _show("view")),
    (rf"SHOW\s+CREATE\s+TABLE\s+{_OF}", _show("table")),
    (rf"(?:DESCRIBE|DESC)\s+(?:FORMATTED\s+|EXTENDED\s+)?{_OF}", _show("describe")),
    (r"UNLOAD\s*\((.*)\)\s*TO\s*'([^']+)'\s*(?:WITH\s*\((.*)\))?", _unload),
    (_ALTER, _partitions),
    (r"PREPARE\s+(\w+)\s+FROM\s+(.*)", lambda found: Prepare(found[1].lower(), found[2])),
    (r"EXECUTE\s+(\w+)(?:\s+USING\s+(.*))?", _execute),
    (r"DEALLOCATE\s+PREPARE\s+(\w+)", lambda found: Deallocate(found[1].lower())),
    (r"CREATE\s+EXTERNAL\s+TABLE\s.*", lambda found: Foreign(found[0])),
)
