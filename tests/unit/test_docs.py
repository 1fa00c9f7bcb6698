"""The documentation says what the code does: reference pages, links, commands, stages, tests."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlglot import parse_one
from sqlglot.optimizer.qualify import qualify
from sqlglot.schema import MappingSchema

from cloudspend.alerts.catalog import CATALOG
from cloudspend.collect.sources import TABLES as COLLECTED_TABLES
from cloudspend.findings.tables import TABLES as FINDING_TABLES
from cloudspend.lake.tables import TABLES as LAKE_TABLES
from cloudspend.lake.views import VIEWS
from cloudspend.reconcile.tables import TABLES as PROOF_TABLES
from scripts import reference
from stacks.stage import STAGES

ROOT = reference.ROOT
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]

FENCE = re.compile(r"^ *```(?P<language>\w*)\n(?P<body>.*?)^ *```$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
# A command begins a line of a block, a code span, or what `$( )` runs.
BEGINNING = re.compile(r"(?:^|\$\()\s*(?:\$ )?(?:\.venv/bin/)?(cloudspend|make) ([^)]*)")
STAGE = re.compile(r"-c stage=([\w-]+)")
TEST = re.compile(r"\btest_\w+")

Place = tuple[str, str]


def shown(page: Path) -> Iterator[str]:
    """Every line of the page's blocks and every code span; SQL is no command."""
    text = page.read_text(encoding="utf-8")
    for block in FENCE.finditer(text):
        if block["language"] != "sql":
            yield from block["body"].replace("\\\n", " ").splitlines()
    yield from SPAN.findall(FENCE.sub("", text))


def places(tool: str) -> list[Place]:
    """(page, what follows `tool`) for each command line that a reader may copy."""
    return [
        (str(page.relative_to(ROOT)), match[2])
        for page in PAGES
        for text in shown(page)
        for match in BEGINNING.finditer(text)
        if match[1] == tool
    ]


def words(line: str) -> list[str]:
    """The words of a command as typed, without the brackets of optional parts and comments."""
    return shlex.split(line.replace("[", "").replace("]", "").replace("\\|", "|"), comments=True)


def spelled_out(line: str) -> Iterator[list[str]]:
    """`local up|down` represents two commands."""
    typed = words(line)
    last = next((i for i, word in enumerate(typed) if "|" in word and word.islower()), None)
    if last is None:
        yield typed
        return
    for choice in typed[last].split("|"):
        yield [*typed[:last], choice, *typed[last + 1 :]]


def fault(typed: list[str]) -> str:
    """Return the fault of a `cloudspend` command; empty when there is none."""
    if typed == ["--help"]:
        return ""
    chosen = next((c for c in reference.commands() if list(c.words) == typed[: len(c.words)]), None)
    if chosen is None:
        return "there is no such command"
    known = {flag for parameter in chosen.parameters for flag in parameter.flags} | {"--help"}
    odd = [word for word in typed if word.startswith("-") and word not in known]
    return f"there is no option {', '.join(odd)}" if odd else ""


def anchors(page: Path) -> set[str]:
    titles = HEADING.findall(FENCE.sub("", page.read_text(encoding="utf-8")))
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_the_reference_is_what_the_code_says() -> None:
    assert reference.stale() == []


def test_a_stale_page_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(reference.WRITERS, "events.md", lambda: ["# Another page"])
    assert reference.main(["--check"]) == 1
    assert capsys.readouterr().err.startswith("Stale: docs/reference/events.md.")


def test_every_relative_link_leads_somewhere() -> None:
    broken = []
    for page in PAGES:
        for target in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
            path, _, anchor = target.partition("#")
            if re.match(r"[a-z]+:", target):
                continue
            found = (page.parent / path).resolve() if path else page
            if not found.exists() or (anchor and anchor not in anchors(found)):
                broken.append(f"{page.relative_to(ROOT)}: {target}")
    assert broken == []


def test_every_command_that_is_shown_exists() -> None:
    wrong = [
        f"{page}: cloudspend {line}: {why}"
        for page, line in places("cloudspend")
        for typed in spelled_out(line)
        if (why := fault(typed))
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("accounts remove 111111111111", "no such command"),
        ("ingest 111111111111 --month 2026-08", "no option --month"),
        ("ingest ACCOUNT [--period YYYY-MM]", ""),
        ("accounts list --output json  # for a script", ""),
    ],
)
def test_a_command_is_judged_by_name_and_options(line: str, says: str) -> None:
    (typed,) = spelled_out(line)
    assert says in fault(typed)
    assert bool(says) == bool(fault(typed))


def test_every_command_in_an_alert_exists() -> None:
    advised = [
        (kind, action.partition("cloudspend ")[2].rstrip("."))
        for kind, event in CATALOG.items()
        for action in event.actions
        if re.search(r"cloudspend [a-z]", action)
    ]
    assert advised
    assert [(kind, why) for kind, line in advised if (why := fault(words(line)))] == []


def test_every_make_target_that_is_shown_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    shown_targets = {
        (page, word)
        for page, line in places("make")
        for word in words(line)
        if "=" not in word and not word.startswith("-")
    }
    assert shown_targets
    assert [place for place in sorted(shown_targets) if place[1] not in targets] == []


def test_every_stage_that_is_shown_exists() -> None:
    named = {
        (str(page.relative_to(ROOT)), stage)
        for page in PAGES
        for stage in STAGE.findall(page.read_text(encoding="utf-8"))
    }
    assert named
    assert [place for place in sorted(named) if place[1] not in {*STAGES, "NAME"}] == []


def test_every_test_that_is_named_exists() -> None:
    files = list((ROOT / "tests").rglob("test_*.py"))
    code = "\n".join(path.read_text(encoding="utf-8") for path in files)
    known = {path.stem for path in files} | set(re.findall(r"def (test_\w+)", code))
    named = {
        (str(page.relative_to(ROOT)), name)
        for page in PAGES
        for name in TEST.findall(page.read_text(encoding="utf-8"))
    }
    assert [place for place in sorted(named) if place[1] not in known] == []


def queries(page: Path) -> list[str]:
    blocks = FENCE.finditer(page.read_text(encoding="utf-8"))
    return [block["body"] for block in blocks if block["language"] == "sql"]


ANALYSTS = queries(ROOT / "docs" / "analysts.md")


def test_the_analysts_page_has_examples() -> None:
    assert len(ANALYSTS) > 5


@pytest.mark.parametrize("sql", ANALYSTS)
def test_every_example_query_asks_for_columns_that_exist(sql: str) -> None:
    tables = {
        table.name: {c.name: c.type for c in (*table.columns, *table.partition_keys)}
        for table in (*LAKE_TABLES, *PROOF_TABLES, *COLLECTED_TABLES, *FINDING_TABLES)
    }
    views = {view.name: {c.name: c.type for c in view.columns} for view in VIEWS}
    known = MappingSchema({**tables, **views}, dialect="athena")
    qualify(parse_one(sql, read="athena"), schema=known, dialect="athena")
