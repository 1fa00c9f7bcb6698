"""`cloudspend sweep` and `cloudspend periods repair`."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from cloudspend import payloads as p
from cloudspend.cli import sweep
from cloudspend.ingest.publish import PublishPorts
from cloudspend.lake.tables import COST_AND_USAGE, generation_prefix, period_values
from tests.fakes.accounts import FakeAccounts, an_account
from tests.fakes.lake import (
    ACCOUNT,
    OLD,
    PERIOD,
    FakeCatalog,
    FakeLake,
    FakeQueries,
    a_generation,
    a_published,
)
from tests.unit.cli.test_cli_commands import Cli, Operator, cli, operator

__all__ = ["cli", "operator"]

PLACE = generation_prefix(COST_AND_USAGE.name, ACCOUNT, PERIOD, OLD)
OCTOBER = period_values(ACCOUNT, PERIOD)


@pytest.fixture
def catalog(operator: Operator) -> FakeCatalog:
    """A published October whose partition is missing."""
    operator.accounts = FakeAccounts(an_account(display_name="Example Shop"))
    operator.generations.plan(a_generation(OLD))
    operator.generations.advance(a_published(OLD), None)
    catalog, lake = FakeCatalog(), FakeLake()
    lake.write_json(f"{PLACE}00000-00.parquet", [])
    publish_ports = PublishPorts(
        operator.generations, catalog, FakeQueries(), operator.bus, lake.bucket
    )
    operator.__dict__.update(publish_ports=publish_ports, lake=lake)
    return catalog


def test_a_partition_is_repaired_and_named(cli: Cli, catalog: FakeCatalog) -> None:
    answer = cli("periods", "repair", ACCOUNT)
    assert answer.code == 0
    assert "2026-10" in answer.out
    assert catalog.location(COST_AND_USAGE.name, OCTOBER) == f"s3://a-lake/{PLACE}"
    assert "Every partition was right." in cli("periods", "repair", ACCOUNT).out


def test_another_period_is_left_alone(cli: Cli, catalog: FakeCatalog) -> None:
    assert cli("periods", "repair", ACCOUNT, "2026-09").code == 0
    assert catalog.location(COST_AND_USAGE.name, OCTOBER) is None


def test_files_that_are_gone_are_no_success(
    cli: Cli, catalog: FakeCatalog, operator: Operator
) -> None:
    operator.__dict__["lake"].delete([f"{PLACE}00000-00.parquet"])
    answer = cli("periods", "repair", ACCOUNT)
    assert answer.code == 1
    assert "2026-10: the files of generation" in answer.err


@dataclass
class Sweeps:
    """Executions of Sweep that end at once."""

    ends: str = "SUCCEEDED"
    not_swept: list[dict[str, str]] = field(default_factory=list)
    started: list[str] = field(default_factory=list)

    def start(self, name: str, _payload: dict[str, Any]) -> bool:
        self.started.append(name)
        return True

    def status(self, _name: str) -> str:
        return self.ends

    def output(self, _name: str) -> dict[str, Any]:
        return {p.COUNTS: {"accounts": 3, "partitions_repaired": 1}, p.NOT_SWEPT: self.not_swept}


@pytest.fixture
def sweeps(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> Sweeps:
    monkeypatch.setattr(sweep, "POLL_SECONDS", 0)
    sweeps = Sweeps()
    operator.__dict__["sweeps"] = sweeps
    return sweeps


def test_what_a_sweep_found_is_listed(cli: Cli, sweeps: Sweeps) -> None:
    answer = cli("sweep", "--output", "csv")
    assert answer.code == 0
    assert answer.out == "what,number\naccounts,3\npartitions repaired,1\n"
    assert len(sweeps.started) == 1


def test_an_account_that_was_not_swept_is_named(cli: Cli, sweeps: Sweeps) -> None:
    sweeps.not_swept.append({p.ACCOUNT_ID: ACCOUNT, "error": "TransientError", "reason": "Later."})
    answer = cli("sweep")
    assert (answer.code, f"{ACCOUNT} was not swept: Later." in answer.err) == (1, True)


def test_a_sweep_that_failed_says_where_to_look(cli: Cli, sweeps: Sweeps) -> None:
    sweeps.ends = "FAILED"
    answer = cli("sweep")
    assert answer.code == 1
    assert "cloudspend-sweep-accounts" in answer.err
