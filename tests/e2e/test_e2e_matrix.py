"""Every kind of account by every way in: organization or single account, role or key, an export
that is made or one of each kind that was there before. All are onboarded to active, all at once."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml

from cloudspend.access.checks import PERMISSIONS
from cloudspend.access.keys import AccessKey
from cloudspend.accounts.model import AccountType, ConnectionKind, ExportKind
from cloudspend.settings import EXPORT_STACK
from local.platform import ENDED
from local.story import Story
from local.world.bill import Bill
from local.world.delivery import post_ledger, tell
from tests.e2e.scene import STACK, Customer, Scene, bill_for
from tests.e2e.traces import AT_WORK, KINDS, traces

ORGANIZATION, LINKED = AccountType.ORGANIZATION, AccountType.LINKED
BY_ROLE, BY_KEY = ConnectionKind.IAM_ROLE, ConnectionKind.ACCESS_KEY
# The organization that the single accounts are members of, and the only member of each other one.
LEGACY = ExportKind.CUR_LEGACY
USER = "cloudspend"
ELSEWHERE, MEMBER = "510000000000", 510000000100
FIRST = 510000000001

# What is made force differs in kind, so that each is made once.
MADE = {
    (ORGANIZATION, BY_ROLE): ExportKind.CUR_2_0,
    (ORGANIZATION, BY_KEY): ExportKind.FOCUS_1_2,
    (LINKED, BY_ROLE): ExportKind.CUR_LEGACY,
    (LINKED, BY_KEY): ExportKind.FOCUS_1_0,
}
IS_CSV = (
    "It is CSV, which is larger than Parquet. (It is also what CloudSpend makes: gzip shows a "
    "damaged file.)"
)
# What is wrong with each export that was there before.
FOUND = {
    ExportKind.CUR_LEGACY: "Closed months are not refreshed: late refunds and credits never "
    f"arrive, and totals will not match Cost Explorer. It has no resource ids. {IS_CSV}",
    ExportKind.CUR_2_0: f"It has no resource ids. It is not hourly. {IS_CSV}",
    ExportKind.FOCUS_1_0: "",
    ExportKind.FOCUS_1_2: f"It leaves out 1 columns, InvoiceId among them. {IS_CSV}",
}


@dataclass(frozen=True)
class Cell:
    """One account of the matrix. `existing`: its export was there before."""

    number: int
    type: AccountType
    connection: ConnectionKind
    kind: ExportKind
    existing: bool

    @property
    def account_id(self) -> str:
        return str(FIRST + self.number)

    @property
    def name(self) -> str:
        export = "existing" if self.existing else "new"
        return f"{self.type} {self.connection} {export} {self.kind}"

    @property
    def row(self) -> dict[str, str]:
        """The account in the list that the operator imports."""
        asked = {"account_id": self.account_id, "name": self.name, "type": str(self.type)}
        asked |= {"export_kind": str(self.kind), "connection": str(self.connection)}
        if not self.existing:
            return asked
        return asked | {
            "export_setup": "USE_EXISTING",
            "export_bucket": f"bills-{self.account_id}",
            "export_prefix": "finance/bills",
            "export_name": f"own-{self.number}",
        }


def cells() -> Iterator[Cell]:
    numbers = iter(range(100))
    for kind, way in product((ORGANIZATION, LINKED), (BY_ROLE, BY_KEY)):
        yield Cell(next(numbers), kind, way, MADE[kind, way], existing=False)
        for export in ExportKind:
            yield Cell(next(numbers), kind, way, export, existing=True)


CELLS = list(cells())
# To this one AWS has delivered a month before it is connected.
(DELIVERED,) = (c for c in CELLS if (c.type, c.connection, c.kind) == (LINKED, BY_KEY, LEGACY))
# This one moves to a role later.
(MOVED,) = (c for c in CELLS if (c.type, c.connection, c.existing) == (LINKED, BY_KEY, False))
# One more of those that leave in the end.
(EMPTY,) = (c for c in CELLS if (c.type, c.connection, c.existing) == (LINKED, BY_ROLE, False))
EACH = pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.name)


def customer_of(scene: Scene, cell: Cell) -> Customer:
    customer = Customer(scene, cell.account_id, cell.name, cell.kind)
    if cell.existing:
        bucket, prefix, name = (cell.row[f"export_{part}"] for part in ("bucket", "prefix", "name"))
        customer.report = replace(customer.report, bucket=bucket, prefix=prefix, name=name)
    return customer


def settle(scene: Scene) -> None:
    """The world before anybody is invited: ten organizations, and one more that the ten single
    accounts are members of."""
    for cell in CELLS:
        if cell.type is ORGANIZATION:
            tell_of(scene, cell.account_id, str(MEMBER + cell.number))
    tell_of(scene, ELSEWHERE, *(one.account_id for one in CELLS if one.type is LINKED))


def tell_of(scene: Scene, management: str, *members: str) -> None:
    stated = [
        {"id": one, "name": f"Account {one}", "email": f"{one}@example.com"}
        for one in (management, *members)
    ]
    world = {"management": management, "members": stated}
    tell(scene.platform.cloud.endpoint, "world", world)


def bring(customer: Customer) -> None:
    """The export that the account had before, with what FOUND says of it."""
    match customer.report.kind:
        case ExportKind.CUR_LEGACY:
            customer.bring_report(AdditionalSchemaElements=[], RefreshClosedReports=False)
        case ExportKind.CUR_2_0:
            customer.bring_export(TIME_GRANULARITY="DAILY", INCLUDE_RESOURCES="FALSE")
        case ExportKind.FOCUS_1_0:
            customer.bring_export(parquet=True)
        case ExportKind.FOCUS_1_2:
            customer.bring_export(without="InvoiceId")


@dataclass(frozen=True)
class Matrix:
    """All accounts, onboarded: what each customer has, and how the operator's commands show it."""

    scene: Scene
    customers: Mapping[str, Customer]
    listed: Mapping[str, dict[str, Any]]


@dataclass(frozen=True)
class Desk:
    """The choices of one customer: by a link, or by the policy of a user."""

    scene: Scene
    customer: Customer
    cell: Cell
    link: str
    folder: Path
    bill: Bill

    def connect(self) -> None:
        """What the customer's administrator does once the invitation is there; the key is handed
        over in a file by those whose export is new, and else typed in."""
        if self.cell.existing:
            bring(self.customer)
        if self.cell == DELIVERED:
            self.customer.put(self.bill)
        if self.link:
            stack = STACK if self.cell.connection is BY_ROLE else EXPORT_STACK
            status = self.customer.follow(self.link, stack=stack)
            assert status == "CREATE_COMPLETE", self.customer.stack_reasons(stack)
        if self.cell.connection is BY_KEY:
            self.hand_over(self.make_key())

    def make_key(self) -> AccessKey:
        """A user with the policy that the operator's command prints, and a key of that user."""
        iam = self.customer.session.client("iam")
        policy = self.folder / f"{self.cell.account_id}.json"
        iam.create_user(UserName=USER)
        iam.put_user_policy(
            UserName=USER, PolicyName="cloudspend", PolicyDocument=policy.read_text()
        )
        made = iam.create_access_key(UserName=USER)["AccessKey"]
        return AccessKey(made["AccessKeyId"], made["SecretAccessKey"])

    def hand_over(self, key: AccessKey) -> None:
        file = self.folder / f"{self.cell.account_id}.key"
        if not self.cell.existing:
            file.write_text(key.to_text())
        source = "-" if self.cell.existing else str(file)
        connect = ("accounts", "connect-key", self.cell.account_id, "--from-file", source)
        typed = key.to_text() if self.cell.existing else ""
        answer = self.scene.platform.run(*connect, "--output", "json", typed=typed)
        assert answer.code == 0, answer.err
        assert key.secret not in answer.out + answer.err


@pytest.fixture(scope="module")
def matrix(story: Story, scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Matrix:
    folder = tmp_path_factory.mktemp("matrix")
    settle(scene)
    links = imported(scene, folder)
    bill = story.world.bills()[1]
    customers = {cell.account_id: customer_of(scene, cell) for cell in CELLS}

    def begin(cell: Cell) -> None:
        customer = customers[cell.account_id]
        desk = Desk(scene, customer, cell, links[cell.account_id], folder, charged(cell, bill))
        post_ledger(desk.bill, scene.platform.cloud.endpoint)
        desk.connect()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(begin, CELLS))
    wait_for_all(scene)
    listed = {row["account_id"]: row for row in scene.look("accounts", "list")}
    return Matrix(scene, customers, listed)


def imported(scene: Scene, folder: Path) -> dict[str, str]:
    """Every account is invited by one list; returns the links, by account. The policies for users
    lie in `folder`."""
    file = folder / "accounts.yaml"
    file.write_text(yaml.safe_dump([cell.row for cell in CELLS]))
    rows = scene.command("accounts", "import", str(file))
    links = {str(row["account_id"]): str(row["link"]) for row in rows}
    assert set(links) == {cell.account_id for cell in CELLS}
    for cell in CELLS:
        assert bool(links[cell.account_id]) is not (cell.existing and cell.connection is BY_KEY)
        if cell.connection is BY_KEY:
            policy = scene.read("accounts", "key-policy", cell.account_id)
            (folder / f"{cell.account_id}.json").write_text(policy)
    return links


def charged(cell: Cell, bill: Bill) -> Bill:
    """What the account is charged: of a bill, the least that Cost Explorer can speak of."""
    small = bill_for(cell.account_id, bill, rows_per_file=10)
    return small if cell == DELIVERED else replace(small, files=(small.files[0][:1],))


def wait_for_all(scene: Scene) -> None:
    """Wait until Onboard has ended for each account."""
    machine = scene.platform.settings.onboard_machine_arn
    wanted = {cell.account_id for cell in CELLS}

    def ended() -> bool:
        found = {
            one["name"].partition("_")[0]: one["status"]
            for one in scene.platform.executions(machine)
        }
        return all(found.get(account) in ENDED for account in wanted)

    scene.platform.wait_until("Onboard of the whole matrix", ended, 180)


@EACH
def test_the_account_is_active_by_its_connection(matrix: Matrix, cell: Cell) -> None:
    row = matrix.listed[cell.account_id]
    found = {key: row[key] for key in ("state", "type", "connection", "export_kind", "reason")}
    assert found == {
        "state": "active",
        "type": cell.type,
        "connection": cell.connection,
        "export_kind": cell.kind,
        "reason": "",
    }


LIFE = ["invited", "connected", "verifying", "backfilling", "active"]


@EACH
def test_its_life_has_every_step_once(matrix: Matrix, cell: Cell) -> None:
    steps = matrix.scene.look("accounts", "history", cell.account_id)
    assert [one["after"] for one in steps] == LIFE
    assert [one["before"] for one in steps] == [None, *LIFE[:-1]]
    assert [one["number"] for one in steps] == [1, 2, 3, 4, 5]
    assert [one["by"] for one in steps][2:] == ["cloudspend-onboard"] * 3


def untried(cell: Cell) -> set[str]:
    """The checks for which there is nothing to try them with."""
    names = {"bcm-data-exports:GetExecution", "ce:GetSavingsPlansUtilization"}
    if cell != DELIVERED:
        names |= {"s3:GetObject", "ce:GetReservationUtilization"}
    if cell.kind is LEGACY:
        names |= {"bcm-data-exports:GetExport", "bcm-data-exports:ListExecutions"}
    if cell.connection is BY_KEY:
        # The local IAM simulates no policies.
        names |= {"key-may-do-no-more"}
    return names


PROOFS = {
    BY_ROLE: {
        "role-opens",
        "right-account",
        "wrong-external-id-refused",
        "missing-external-id-refused",
        "trusts-no-one-else",
        "sessions-say-whose-they-are",
        "iam:GetRole",
    },
    BY_KEY: {"key-opens", "right-account"},
}


@EACH
def test_every_permission_is_tried(matrix: Matrix, cell: Cell) -> None:
    shown = matrix.scene.look("accounts", "show", cell.account_id)
    checks = {one["check"]: one["status"] for one in shown["checks"]}
    of_its_type = {
        one.action
        for one in PERMISSIONS
        if cell.type in one.types and cell.connection in one.connections and not one.encrypted
    }
    not_available = {name for name, status in checks.items() if status == "not_available"}
    assert not_available == untried(cell)
    passed = {name for name, status in checks.items() if status == "passed"}
    assert passed == (of_its_type | PROOFS[cell.connection]) - not_available
    assert set(checks) == passed | not_available


@EACH
def test_the_one_export_is_used_and_what_is_wrong_with_it_is_said(
    matrix: Matrix, cell: Cell
) -> None:
    [export] = matrix.scene.look("exports", cell.account_id)
    customer = matrix.customers[cell.account_id]
    report = customer.report
    assert (export["name"], export["kind"], export["used"]) == (report.name, cell.kind, True)
    assert export["location"] == f"s3://{report.bucket}/{report.prefix}"
    assert export["wrong"] == (FOUND[cell.kind] if cell.existing else IS_CSV)
    owned = {one["Name"] for one in customer.session.client("s3").list_buckets()["Buckets"]}
    assert owned == {report.bucket}


@pytest.mark.parametrize(
    "cell", [cell for cell in CELLS if cell.connection is BY_KEY], ids=lambda cell: cell.name
)
def test_by_a_key_nothing_needs_a_role(matrix: Matrix, cell: Cell) -> None:
    session = matrix.customers[cell.account_id].session
    assert session.client("iam").list_roles()["Roles"] == []
    assert session.client("events").list_rules()["Rules"] == []


def test_a_month_that_was_there_before_is_taken_in_by_the_key(matrix: Matrix) -> None:
    [period] = matrix.scene.look("periods", DELIVERED.account_id)
    assert period["certification"] == "certified"


def test_who_got_an_export_without_a_role_gets_a_role_beside_it(matrix: Matrix) -> None:
    scene, customer = matrix.scene, matrix.customers[MOVED.account_id]
    link = scene.command("accounts", "move-to-role", MOVED.account_id)["link"]
    assert customer.follow(link) == "CREATE_COMPLETE", customer.stack_reasons()
    assert customer.stack_status(EXPORT_STACK) == "CREATE_COMPLETE"

    def moved() -> bool:
        shown = scene.look("accounts", "show", MOVED.account_id)
        return (shown["state"], shown["connection"]) == ("active", BY_ROLE)

    scene.platform.wait_until("the role to take the key's place", moved)
    assert "secrets" not in traces(scene, MOVED.account_id)
    [export] = scene.look("exports", MOVED.account_id)
    assert (export["name"], export["used"]) == (customer.report.name, True)


def test_those_who_leave_leave_nothing_behind(matrix: Matrix) -> None:
    """Runs last: one by key, with a month that was taken in; one by role, without any."""
    scene, leaving = matrix.scene, (DELIVERED, EMPTY)
    # What is looked through is there: only executions at work come and go.
    assert {kind for kind, names in KINDS.items() if any(names(scene))} >= set(KINDS) - {AT_WORK}
    held = {cell: traces(scene, cell.account_id, cell.name) for cell in leaving}
    assert held[DELIVERED].keys() == {"objects", "catalog", "registry", "secrets"}
    assert held[EMPTY].keys() == {"registry"}
    for cell in leaving:
        said = ("--data", "delete", "--reason", "The contract ended.", "--confirm", cell.account_id)
        begun = scene.platform.run("accounts", "offboard", cell.account_id, *said)
        assert begun.code == 0, begun.err
    stated = {cell: scene.wait_until_gone(cell.account_id) for cell in leaving}
    assert {cell: traces(scene, cell.account_id, cell.name) for cell in leaving} == {
        cell: {} for cell in leaving
    }
    user = f"arn:aws:iam::{DELIVERED.account_id}:user/{USER}"
    assert f"given of the IAM user {user}" in stated[DELIVERED]["actions"][0]
    assert "delete the CloudFormation stack 'cloudspend'" in stated[EMPTY]["actions"][0]
    for cell in leaving:
        proof = scene.look("accounts", "proof", cell.account_id)
        assert {kind: found["count"] for kind, found in proof["remaining"].items()} == {
            "secrets": 0,
            "partitions": 0,
            "object versions": 0,
            "registry items": 0,
        }
    assert scene.look("accounts", "proof", DELIVERED.account_id)["removed"]["secrets"] == 1
