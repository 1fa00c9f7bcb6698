"""From a manifest to a plan file."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from cloudspend import payloads as p
from cloudspend.accounts.model import Account, AccountState, Export, ExportKind
from cloudspend.convert.model import ConversionTask
from cloudspend.errors import CloudSpendError, DeliveryError, UsageError
from cloudspend.exports.deliveries import read_delivery
from cloudspend.exports.ports import CustomerBucket
from cloudspend.ingest.plan import IngestPorts, plan
from cloudspend.lake.model import GenerationState
from tests.fakes.accounts import FakeAccounts, an_account
from tests.fakes.exports import FakeCustomerBucket, legacy_manifest
from tests.fakes.lake import ACCOUNT, NOW, PERIOD, TOTALS, FakeGenerations, FakeLake, a_published

EXPORT = Export(ExportKind.CUR_LEGACY, "cost-bucket", "cost", "report")
ACTIVE = an_account(state=AccountState.ACTIVE, export=EXPORT)
FOLDER = "cost/report/20261001-20261101/an-assembly"
MANIFEST = f"{FOLDER}/report-Manifest.json"
FILES = [f"{FOLDER}/report-{number}.csv.gz" for number in (1, 2)]
STATE = {
    p.ACCOUNT_ID: ACCOUNT,
    p.MANIFEST_BUCKET: "cost-bucket",
    p.MANIFEST_KEY: MANIFEST,
    "kept": "as it is",
}


class Customer:
    """The customer's bucket with one delivery, and the platform's side of planning it."""

    def __init__(self, *, account: Account = ACTIVE, keys: list[str] | None = None) -> None:
        self.objects = FakeCustomerBucket()
        for key in FILES:
            self.objects.put("cost-bucket", key, b"gzip")
        manifest = legacy_manifest("an-assembly", "20261001", FILES if keys is None else keys)
        self.objects.put("cost-bucket", MANIFEST, manifest)
        self.registry = FakeAccounts(account)
        self.ingest_ports = IngestPorts(FakeGenerations(), FakeLake())

    @property
    def generation(self) -> str:
        return read_delivery(ACTIVE, self.objects, "cost-bucket", MANIFEST).generation

    def plan(self) -> dict[str, Any]:
        return plan(STATE, self.registry, self._open, self.ingest_ports)

    def tasks(self, state: dict[str, Any]) -> list[ConversionTask]:
        entries = self.ingest_ports.lake.read_json(state[p.PLAN_KEY])
        return [ConversionTask.from_payload(entry) for entry in entries]

    def _open(self, _account: Account) -> CustomerBucket:
        return self.objects


def test_the_files_of_the_manifest_are_tasks() -> None:
    customer = Customer()
    state = customer.plan()
    assert state | STATE == state
    assert (state[p.DECISION], state[p.PERIOD]) == (p.INGEST, "2026-10")
    assert state[p.GENERATION] == customer.generation
    assert state[p.PLAN_BUCKET] == "a-lake"
    tasks = customer.tasks(state)
    assert [(task.task, [file.key for file in task.files]) for task in tasks] == [
        (0, FILES),
    ]
    assert state[p.REASON] == (
        "The period is new. Its 2 files of 0.0 MB are converted in 1 tasks. The table "
        "billing_detail is left out: the account does without it."
    )
    held = customer.ingest_ports.generations.get(ACCOUNT, PERIOD, customer.generation)
    assert held is not None
    assert (held.state, held.manifest_key) == (GenerationState.PLANNED, MANIFEST)


def test_a_repeat_plans_the_same() -> None:
    customer = Customer()
    first = customer.plan()
    tasks = customer.tasks(first)
    assert customer.plan() | {p.REASON: ""} == first | {p.REASON: ""}
    assert customer.tasks(first) == tasks


def test_a_file_that_the_manifest_names_twice_stays_twice() -> None:
    """Reconciliation finds what is counted twice; the plan does not doctor a delivery."""
    customer = Customer(keys=[FILES[0], FILES[0]])
    tasks = customer.tasks(customer.plan())
    assert [file.key for task in tasks for file in task.files] == [FILES[0], FILES[0]]


def test_the_account_says_which_tables_and_tags() -> None:
    account = replace(ACTIVE, billing_detail=True, tag_columns=("Team",))
    state = (customer := Customer(account=account)).plan()
    [task] = customer.tasks(state)
    assert task.tables == ("cost_and_usage", "billing_detail")
    assert task.tag_columns == ("Team",)
    assert "left out" not in state[p.REASON]


def test_a_missing_file_is_a_failure_of_its_generation() -> None:
    missing = f"{FOLDER}/report-9.csv.gz"
    customer = Customer(keys=[FILES[0], missing])
    with pytest.raises(DeliveryError, match="report-9"):
        customer.plan()
    found = customer.ingest_ports.generations.of_manifest(ACCOUNT, "cost-bucket", MANIFEST)
    assert found is not None
    assert customer.ingest_ports.lake.staged("runs/") == ()


def test_a_published_delivery_is_left_alone() -> None:
    customer = Customer()
    customer.plan()
    name = customer.generation
    generations = customer.ingest_ports.generations
    generations.record_checked(ACCOUNT, PERIOD, name, TOTALS)
    generations.record_outcome(ACCOUNT, PERIOD, name, GenerationState.PUBLISHED)
    generations.advance(a_published(name, reconciled_at=NOW, residual=Decimal(0)), None)
    state = customer.plan()
    assert (state[p.DECISION], p.PLAN_KEY in state) == (p.SKIP, False)
    held = generations.get(ACCOUNT, PERIOD, name)
    assert held is not None
    assert held.state is GenerationState.PUBLISHED


def test_a_delivery_older_than_the_published_one_is_superseded() -> None:
    customer = Customer()
    customer.ingest_ports.generations.advance(a_published("20991231T000000Z-ffffffff"), None)
    state = customer.plan()
    assert (state[p.DECISION], state[p.GENERATION]) == (p.SKIP, customer.generation)
    held = customer.ingest_ports.generations.get(ACCOUNT, PERIOD, customer.generation)
    assert held is not None
    assert held.state is GenerationState.SUPERSEDED
    assert customer.ingest_ports.lake.staged("runs/") == ()


@pytest.mark.parametrize(
    ("customer", "kind"),
    [
        (Customer(account=replace(ACTIVE, state=AccountState.FAILED)), UsageError),
        (Customer(keys=[]), DeliveryError),
        (Customer(keys=["another/folder/report-1.csv.gz"]), DeliveryError),
    ],
)
def test_what_is_not_planned(customer: Customer, kind: type[CloudSpendError]) -> None:
    with pytest.raises(kind):
        customer.plan()
    assert customer.ingest_ports.lake.staged("runs/") == ()
