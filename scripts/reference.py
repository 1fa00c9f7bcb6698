"""Writes docs/reference from the code: events, tables, commands and settings.

python scripts/reference.py            write the pages
python scripts/reference.py --check    exit with 1 and name the pages that are stale
"""

import ast
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from cloudspend import settings as names
from cloudspend.accounts import importing
from cloudspend.alerts import schema as s
from cloudspend.alerts.catalog import CATALOG
from cloudspend.alerts.catalog.event_type import EventDetails
from cloudspend.cli.main import command_line
from cloudspend.collect.sources import TABLES as COLLECTED_TABLES
from cloudspend.convert.focus.schema import COLUMNS
from cloudspend.findings.tables import TABLES as FINDING_TABLES
from cloudspend.lake.tables import COST_AND_USAGE, GENERATION_TABLES, Column, Table
from cloudspend.lake.tables import TABLES as LAKE_TABLES
from cloudspend.lake.views import VIEWS, View
from cloudspend.reconcile.tables import TABLES as PROOF_TABLES
from local.commands import DEFAULT_PORT, PORT
from stacks.stage import STAGES, Stage

ROOT = Path(__file__).resolve().parents[1]
PAGES = ROOT / "docs" / "reference"
NOTE = "<!-- Written by scripts/reference.py. Change the code it reads, then run it again. -->"

PIPE = "\\|"

Row = Sequence[str]


def heading(title: str, *paragraphs: str) -> list[str]:
    return [f"# {title}", "", NOTE, "", *(part for text in paragraphs for part in (text, ""))]


def grid(head: Row, rows: Iterable[Row]) -> list[str]:
    """A Markdown table, with an empty line after it."""
    return [*map(line, (head, ["---"] * len(head), *rows)), ""]


def line(cells: Row) -> str:
    """A row of a table. A bar within a cell would end the cell."""
    return f"| {' | '.join(cell.replace('|', PIPE) for cell in cells)} |"


def code(text: object) -> str:
    return f"`{text}`"


# Events

KINDS: Sequence[tuple[s.Schema, str]] = (
    (s.TEXT, "string"),
    (s.COUNT, "integer, 0 or more"),
    (s.TIME, "string, a date and time in ISO 8601"),
    (s.MONEY, "string, a decimal number"),
    (s.CURRENCY, "string, ISO 4217 code"),
    (s.PERIOD, "string, `yyyy-mm`"),
    (s.ACCOUNT_ID, "string, 12 digits"),
    (s.DAY, "string, a date in ISO 8601"),
)


def json_type(schema: s.Schema) -> str:
    """A schema in words. Raises ValueError for one that has no words yet."""
    if s.is_nullable(schema):
        return f"{json_type(schema['anyOf'][0])}, or null"
    if "enum" in schema:
        return f"string, one of {', '.join(map(code, schema['enum']))}"
    if schema.get("type") == "array":
        return f"array of at most {schema['maxItems']}: {json_type(schema['items'])}"
    if schema.get("type") == "object":
        return "object"
    for kind, words in KINDS:
        if schema == kind:
            return words
    raise ValueError(f"scripts/reference.py has no words for the schema {schema}.")


def detail_rows(details: Mapping[str, s.Schema]) -> Iterable[Row]:
    """A row a key; those of the objects in an array follow it, as `cells[].service`."""
    for key, schema in details.items():
        yield code(key), json_type(schema)
        for inner, kind in schema.get("items", {}).get("properties", {}).items():
            yield code(f"{key}[].{inner}"), json_type(kind)


def severity_of(kind: type[EventDetails]) -> str:
    return f"**{kind.severity}**" if kind.severity else "each event's own"


def one_event(detail_type: str, kind: type[EventDetails]) -> list[str]:
    actions = [f"{number}. {action}" for number, action in enumerate(kind.actions, 1)]
    return [
        f"## {detail_type}",
        "",
        f"Severity: {severity_of(kind)}",
        "",
        f"Subject: {{name}}: {kind.title}",
        "",
        f"> {kind.sentence}",
        "",
        *(["What to do:", "", *actions, ""] if actions else ["No action is needed.", ""]),
        *grid(("Key of `details`", "JSON type"), detail_rows(kind.schemas())),
    ]


ENVELOPE = (
    ("`version`", "string", "`1`"),
    ("`event_id`", "string, 32 hexadecimal digits", "The same for every repeat of one outcome"),
    (
        "`account`",
        "object with `id`, `name`, `type`",
        "Type is `ORGANIZATION`, `LINKED` or `PLATFORM`",
    ),
    ("`severity`", "string", "`info`, `warning` or `critical`"),
    ("`summary`", "string", "A sentence for a person"),
    ("`details`", "object", "The facts, as listed for each event"),
    ("`actions`", "array of strings", "What to do, in order; may be empty"),
)


def events_page() -> list[str]:
    page = heading(
        "Events",
        f"CloudSpend puts these events on the bus `{names.EVENT_BUS}` with the source "
        f"`{names.EVENT_SOURCE}`. An event arrives at least once, in no promised order. Words in "
        "braces stand for details; `{id}` and `{name}` are the account's.",
        "The `detail` of every event:",
    )
    page += grid(("Key", "JSON type", "Meaning"), ENVELOPE)
    overview = ((f"[{t}](#{t.lower()})", severity_of(kind)) for t, kind in CATALOG.items())
    page += grid(("Event", "Severity"), overview)
    for detail_type, kind in CATALOG.items():
        page += one_event(detail_type, kind)
    return page


# Tables


def column_rows(columns: Iterable[Column]) -> Iterable[Row]:
    return ((code(column.name), code(column.type), column.comment) for column in columns)


def section(thing: Table | View, keys: Sequence[Column], columns: Sequence[Column]) -> list[str]:
    text = [f"## {thing.name}", "", f"{thing.comment}.", ""]
    if keys:
        text += ["Partition keys:", "", *grid(("Column", "Type", "Meaning"), column_rows(keys))]
        text += ["Columns:", ""]
    return text + grid(("Column", "Type", "Meaning"), column_rows(columns))


def generations_section(table: Table) -> list[str]:
    """The table with the columns of the one whose folder it shows, which are listed there."""
    shown = table.data_folder
    keys = grid(("Column", "Type", "Meaning"), column_rows(table.partition_keys))
    text = [f"## {table.name}", "", f"{table.comment}.", "", "Partition keys:", "", *keys]
    return [*text, f"The columns are those of [{shown}](#{shown}).", ""]


def tables_page() -> list[str]:
    page = heading(
        "Tables and views",
        f"All are in the Glue database `{names.DATABASE}`. Money is a double in units of the "
        "currency that the row names; times are in UTC. Always name the partition keys that you "
        "can: Athena bills what it reads.",
    )
    never = ", ".join(code(column.name) for column in COLUMNS if not column.nullable)
    for table in LAKE_TABLES:
        if table in GENERATION_TABLES:
            page += generations_section(table)
        else:
            page += section(table, table.partition_keys, table.columns)
        if table is COST_AND_USAGE:
            page += [f"Never null in `{table.name}`: {never}.", ""]
    for table in (*PROOF_TABLES, *COLLECTED_TABLES, *FINDING_TABLES):
        page += section(table, table.partition_keys, table.columns)
    for view in VIEWS:
        page += section(view, (), view.columns)
        page += ["The view is", "", "```sql", view.sql, "```", ""]
    return page


# Commands


@dataclass(frozen=True)
class Parameter:
    """An argument (no `flags`) or an option of a command."""

    flags: tuple[str, ...]
    label: str
    default: str
    required: bool
    help: str


@dataclass(frozen=True)
class Command:
    """A command as it is typed, without `cloudspend`."""

    words: tuple[str, ...]
    help: str
    parameters: tuple[Parameter, ...]


def commands() -> list[Command]:
    """Every command, those that plug-ins bring last."""
    return list(leaves((), typer.main.get_command(command_line())))


def leaves(words: tuple[str, ...], command: Any) -> Iterable[Command]:
    inner = getattr(command, "commands", None)
    if inner is None:
        parameters = tuple(parameter(each) for each in command.params if each.name != "help")
        yield Command(words, command.help or "", parameters)
        return
    for name in inner:
        yield from leaves((*words, name), inner[name])


def parameter(found: Any) -> Parameter:
    option = found.param_type_name == "option"
    default = "" if found.default is None or found.required else str(found.default)
    if getattr(found, "is_flag", False):
        default = found.opts[0] if found.default else (*found.secondary_opts, "")[0]
    return Parameter(
        flags=(*found.opts, *found.secondary_opts) if option else (),
        label=value_label(found),
        default=default,
        required=found.required,
        help=found.help or "",
    )


def value_label(found: Any) -> str:
    """The value to give: the choices, or a word for the value; nothing for a flag."""
    if getattr(found, "is_flag", False):
        return ""
    described = found.type_descriptor
    if described.choices:
        return " ".join(str(choice) for choice in described.choices)
    return str(found.metavar or found.name.upper())


def one_command(command: Command) -> list[str]:
    positional = "".join(f" {p.label}" for p in command.parameters if not p.flags)
    must = "".join(f" {p.flags[0]} {p.label}" for p in command.parameters if p.flags and p.required)
    title = f"cloudspend {' '.join(command.words)}"
    page = [f"## {title}", "", code(title + positional + must), "", *help_text(command.help)]
    rows = [
        (", ".join(map(code, p.flags)) or code(p.label), values(p), shown_default(p), p.help)
        for p in command.parameters
    ]
    return page + (
        grid(("Option or argument", "Value", "Default", "Meaning"), rows) if rows else []
    )


def help_text(text: str) -> list[str]:
    """The paragraphs of a help text; those that click must not wrap are examples."""
    page = []
    for paragraph in text.split("\n\n"):
        _, unwrapped, examples = paragraph.partition("\b\n")
        page += ["```sh", examples, "```", ""] if unwrapped else [paragraph, ""]
    return page


def values(p: Parameter) -> str:
    return ", ".join(map(code, p.label.split())) if p.flags else ""


def shown_default(p: Parameter) -> str:
    return "required" if p.required else (code(p.default) if p.default else "")


def commands_page() -> list[str]:
    page = heading(
        "Commands",
        "Every command takes `--help`. Exit codes: 0 done, 1 the job failed, 2 wrong usage. "
        "The commands act with the AWS credentials and in the region of the shell they run in.",
    )
    for command in commands():
        page += one_command(command)
        if command.words == ("accounts", "import"):
            page += columns_of_a_list()
    return page


def columns_of_a_list() -> list[str]:
    rows = [
        (code(name), meaning + ("; several" if name in importing.LISTS else ""))
        for name, (_, meaning) in importing.COLUMNS.items()
    ]
    said = (
        "Columns of the list. Several values stand as a list in YAML, and in CSV with `;` between "
        "them. Empty values are left out."
    )
    return [said, "", *grid(("Column", "Meaning"), rows)]


# Settings


def field_comments(path: Path, *classes: str) -> dict[str, str]:
    """Return the comment above each field of dataclasses, by field name.

    Raises ValueError for a field without a comment.
    """
    source = path.read_text(encoding="utf-8")
    lines = source.splitlines()
    bodies = [n for n in ast.parse(source).body if isinstance(n, ast.ClassDef)]
    meanings = {}
    for body in (n for n in bodies if n.name in classes):
        for node in body.body:
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                meanings[node.target.id] = _comment_above(lines, node.lineno - 1)
    if bare := sorted(name for name, meaning in meanings.items() if not meaning):
        raise ValueError(f"{path.name} has fields without a comment: {', '.join(bare)}.")
    return meanings


def _comment_above(lines: Sequence[str], number: int) -> str:
    words: list[str] = []
    while number and lines[number - 1].lstrip().startswith("# "):
        number -= 1
        words.insert(0, lines[number].strip().removeprefix("# "))
    return " ".join(words)


SETTINGS = ROOT / "layers" / "cloudspend" / "python" / "cloudspend" / "settings.py"
POLICY_MEANINGS = field_comments(SETTINGS, "Policy")
ENVIRONMENT = {**field_comments(SETTINGS, "Settings", "Policy")}
STAGE_KEYS = field_comments(ROOT / "stacks" / "stage.py", "Stage")
for _mapping in (ENVIRONMENT, STAGE_KEYS):
    _mapping.pop(names.POLICY, None)

FIXED: Mapping[str, str] = {
    "PREFIX": "What every name begins with; alias of the KMS key; value of the tag `application`",
    "EVENT_SOURCE": "Source of CloudSpend's events",
    "DATABASE": "Glue database",
    "WORKGROUP": "Athena workgroup",
    "REGISTRY_TABLE": "DynamoDB table of accounts, periods and generations",
    "EVENT_BUS": "EventBridge bus of CloudSpend's events",
    "SCHEMA_REGISTRY": "EventBridge schema registry with the schema of every event",
    "DELIVERIES_BUS": "EventBridge bus on which customers' buckets announce manifests",
    "REGISTRATION_TOPIC": "SNS topic that customers' stacks phone home to",
    "ALERT_TOPIC": "Beginning of the alert topics' names: `-info`, `-warning`, `-critical` follow",
    "EVENT_TOPIC": "Topic of every alert as JSON, for machines",
    "CHAT_TOPIC": "Topic of warnings and critical alerts in the form that Slack and Teams show",
    "DEAD_LETTERS": "End of the names of the queues for what could not be handled",
    "ONBOARD_MACHINE": "State machine that proves and activates an account",
    "INGEST_MACHINE": "State machine that takes in a delivery",
    "RECONCILE_MACHINE": "State machine that compares a period again after a rollback or a repair",
    "SWEEP_MACHINE": "State machine that finds and repairs what events missed",
    "FINDINGS_MACHINE": "State machine that evaluates every account once a day",
    "COLLECT_MACHINE": "State machine that collects AWS's own figures beyond the bill",
    "OFFBOARD_MACHINE": "State machine that takes an account away and proves it",
    "OFFBOARDED": "Folder of the lake bucket with the reports of offboardings",
    "POLICY_PARAMETER": "SSM parameter with the settings of the stage, read by the command line",
    "KIND_INDEX": "Index of the DynamoDB table that lists all accounts",
    "CUSTOMER_ROLE": "Role in the customer's account",
    "KEY_SECRETS": "What the secrets with customers' access keys are named under, by account",
    "KEY_ALIAS": "Alias of the KMS key that encrypts those secrets",
    "CUSTOMER_STACK": "Name that the link proposes for the customer's stack",
    "EXPORT_STACK": "The same for an account that is to be connected by an access key",
    "MEMBER_ROLE": "Role in a member account of an organization",
    "MEMBERS_SET": "StackSet that creates that role, and the stack of a delegated administrator",
    "MEMBERS_TEMPLATE": "The delegated administrator's template in the template bucket",
    "CUSTOMER_TEMPLATE": "The customer's template in the template bucket",
    "TEMPLATE_VERSION": "Version of that template; a stack of an older one is reported",
    "MANIFEST_SUFFIX": "How the keys of manifests end",
}

CREDENTIALS = (
    "The command line takes account, region and credentials as every AWS tool does "
    "(`AWS_PROFILE`, `AWS_DEFAULT_REGION`, and so on). The local cloud reads one more:"
)
CHOOSING = (
    f"`-c stage=NAME` chooses one of these; without it, `{Stage.name}` is taken. "
    "`-c stage-file=PATH` reads a JSON object with the same keys; a key that is left out has "
    f"the value of `{Stage.name}`."
)


def require_all(meant: Mapping[str, str], found: Iterable[str], where: str) -> None:
    """Raises ValueError when a name is without its meaning here, or the other way round."""
    if odd := sorted(set(meant) ^ set(found)):
        raise ValueError(f"scripts/reference.py and {where} differ in: {', '.join(odd)}.")


def environment() -> list[str]:
    rows = [(code(names.ENVIRONMENT + key.upper()), text) for key, text in ENVIRONMENT.items()]
    return [
        "## Environment of the functions",
        "",
        "The stacks set these variables.",
        "",
        *grid(("Variable", "Meaning"), rows),
        "## Environment of the command line",
        "",
        CREDENTIALS,
        "",
        *grid(
            ("Variable", "Default", "Meaning"),
            [(code(PORT), code(DEFAULT_PORT), "Port of the local cloud, on 127.0.0.1")],
        ),
    ]


def fixed_names() -> list[str]:
    constants = {
        name: value
        for name, value in vars(names).items()
        if name.isupper()
        and isinstance(value, str)
        and name not in ("ENVIRONMENT", "POLICY")
        and name[0] != "_"
    }
    require_all(FIXED, constants, "settings.py")
    rows = [(code(constants[name]), text) for name, text in FIXED.items()]
    here = names.Settings("ACCOUNT", "REGION")
    buckets = (
        (here.lake_bucket, "Bucket of the lake"),
        (here.results_bucket, "Bucket of Athena's results"),
        (here.template_bucket, "Bucket of the customer's template"),
    )
    rows += [(code(bucket), text) for bucket, text in buckets]
    return ["## Fixed names", "", *grid(("Name", "What has it"), rows)]


def functions() -> list[str]:
    rows = []
    for path in sorted((ROOT / "lambdas").glob("[!_]*.py")):
        text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        name = f"{names.PREFIX}-{path.stem.replace('_', '-')}"
        rows.append((code(name), code(f"/aws/lambda/{name}"), " ".join(text.split())))
    return ["## Functions", "", *grid(("Function", "Log group", "What it does"), rows)]


def stage_keys() -> list[str]:
    rows = [
        (code(key), *(code(getattr(stage, key)) for stage in STAGES.values()), text)
        for key, text in STAGE_KEYS.items()
    ]
    rows += [
        (code(key), *(code(getattr(stage.policy, key)) for stage in STAGES.values()), text)
        for key, text in POLICY_MEANINGS.items()
    ]
    return [
        "## Stages",
        "",
        CHOOSING,
        "",
        *grid(("Key", *STAGES, "Meaning"), rows),
    ]


def settings_page() -> list[str]:
    page = heading(
        "Settings and names", "Every name follows from the platform's account and region."
    )
    return page + environment() + fixed_names() + functions() + stage_keys()


# All of it

WRITERS: Mapping[str, Callable[[], list[str]]] = {
    "events.md": events_page,
    "tables.md": tables_page,
    "commands.md": commands_page,
    "settings.md": settings_page,
}


def pages() -> dict[Path, str]:
    """What each page has to hold."""
    return {PAGES / name: "\n".join(write()).rstrip() + "\n" for name, write in WRITERS.items()}


def stale() -> list[Path]:
    """The pages that are not as the code would have them."""
    return [
        path
        for path, text in pages().items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]


def main(arguments: Sequence[str]) -> int:
    if list(arguments) == ["--check"]:
        old = [str(path.relative_to(ROOT)) for path in stale()]
        if old:
            sys.stderr.write(f"Stale: {', '.join(old)}. Run: python scripts/reference.py\n")
        return 1 if old else 0
    if arguments:
        sys.stderr.write("Usage: python scripts/reference.py [--check]\n")
        return 2
    PAGES.mkdir(parents=True, exist_ok=True)
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
