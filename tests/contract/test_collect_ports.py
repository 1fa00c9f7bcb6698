"""Collect's fakes and its adapters on AWS keep the same contracts."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from io import BytesIO
from typing import Any

import boto3
import botocore.endpoint
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from moto import mock_aws
from pyarrow import parquet

from cloudspend.collect.aws import BillingServices, DynamoProgress, DynamoSpend, WranglerStore
from cloudspend.collect.calls import ACCOUNTS, BUDGETS, COST_AND_USAGE, TAGS, Call
from cloudspend.collect.model import Collected, Days, Status
from cloudspend.collect.ports import (
    AnswerChanged,
    CapReached,
    NotAvailable,
    Progress,
    QuestionRefused,
    RequestBudget,
)
from cloudspend.collect.sources import TABLES
from cloudspend.errors import Defect, PermissionDenied, TransientError
from cloudspend.lake.tables import Column, Table
from tests.fakes.collecting import FakeProgress, FakeSpend, FakeStore

ID, OTHER = "111111111111", "222222222222"
DAY = date(2026, 11, 24)
AT = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)


@pytest.fixture
def table() -> Iterator[Any]:
    with mock_aws():
        keys = [("pk", "HASH"), ("sk", "RANGE")]
        yield boto3.resource("dynamodb", region_name="us-east-1").create_table(
            TableName="cloudspend",
            KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys],
            AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n, _ in keys],
            BillingMode="PAY_PER_REQUEST",
        )


@pytest.fixture(params=["fake", "moto"])
def spend(request: pytest.FixtureRequest, table: Any) -> RequestBudget:
    return FakeSpend() if request.param == "fake" else DynamoSpend(table)


@pytest.fixture(params=["fake", "moto"])
def progress(request: pytest.FixtureRequest, table: Any) -> Progress:
    return FakeProgress() if request.param == "fake" else DynamoProgress(table)


def test_pages_are_counted_by_account_and_day_up_to_the_cap(spend: RequestBudget) -> None:
    assert spend.taken(ID, DAY) == 0
    for _ in range(3):
        spend.take(ID, DAY, 3)
    for _ in range(2):
        with pytest.raises(CapReached) as caught:
            spend.take(ID, DAY, 3)
        assert caught.value.details == {"cap": 3}
    assert spend.taken(ID, DAY) == 3
    spend.take(ID, DAY, 4)
    spend.take(OTHER, DAY, 1)
    spend.take(ID, date(2026, 11, 25), 1)
    assert (spend.taken(ID, DAY), spend.taken(OTHER, DAY)) == (4, 1)


def test_a_cap_of_nothing_lets_nothing_through(spend: RequestBudget) -> None:
    with pytest.raises(CapReached):
        spend.take(ID, DAY, 0)
    assert spend.taken(ID, DAY) == 0


def test_that_the_cap_is_reached_is_said_once_a_day(spend: RequestBudget) -> None:
    assert [spend.first_to_say(ID, DAY) for _ in range(3)] == [True, False, False]
    assert spend.first_to_say(OTHER, DAY)
    assert spend.first_to_say(ID, date(2026, 11, 25))
    spend.take(ID, DAY, 1)


def test_counts_are_deleted_by_dynamodb_itself(table: Any) -> None:
    DynamoSpend(table).take(ID, DAY, 1)
    (item,) = table.scan()["Items"]
    assert datetime.fromtimestamp(int(item["delete_after"]), UTC).date() == date(2027, 1, 3)


@pytest.mark.parametrize(
    "collected",
    [
        Collected(Status.FAILED, "It died.", AT),
        Collected(
            Status.COLLECTED,
            "",
            AT,
            days=Days(DAY, date(2026, 11, 25)),
            stored_at=AT,
            rows=3,
            pages=2,
            history=13,
            history_at=AT,
        ),
    ],
)
def test_what_is_known_of_a_source_comes_back(progress: Progress, collected: Collected) -> None:
    assert progress.get(ID, "budgets") is None
    assert progress.all(ID) == {}
    progress.put(ID, "budgets", Collected(Status.DEGRADED, "No.", AT))
    progress.put(ID, "budgets", collected)
    progress.put(OTHER, "invoices", collected)
    assert progress.get(ID, "budgets") == collected
    assert progress.all(ID) == {"budgets": collected}


class MotoStore(WranglerStore):
    """The real adapter, with a way to read back."""

    @property
    def objects(self) -> dict[str, list[dict[str, Any]]]:
        s3 = self._session.client("s3")
        keys = [each["Key"] for each in s3.list_objects_v2(Bucket=self.bucket)["Contents"]]
        found = {}
        for key in keys:
            body = s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
            rows = parquet.read_table(BytesIO(body)).to_pylist()
            found[key] = [_as_given(row) for row in rows]
        return found


def _as_given(row: dict[str, Any]) -> dict[str, Any]:
    moment = row["at"]
    tags = row["tags"]
    return row | {
        "at": moment.replace(tzinfo=UTC) if moment else None,
        "tags": dict(tags) if tags is not None else None,
    }


ANY = Table(
    name="any",
    columns=(
        Column("name", "string"),
        Column("flag", "boolean"),
        Column("count", "bigint"),
        Column("cost", "double"),
        Column("day", "date"),
        Column("at", "timestamp"),
        Column("tags", "map<string,string>"),
    ),
    partition_keys=(),
)
ROW = {
    "name": "Größe",
    "flag": True,
    "count": 3,
    "cost": -0.1,
    "day": DAY,
    "at": AT,
    "tags": {"team": "a", "unit": "b"},
}


@pytest.fixture(params=["fake", "moto"])
def store(request: pytest.FixtureRequest) -> Iterator[Any]:
    if request.param == "fake":
        yield FakeStore()
        return
    with mock_aws():
        session = boto3.Session(region_name="us-east-1")
        session.client("s3").create_bucket(Bucket="lake")
        yield MotoStore(session, "lake")


def test_an_object_holds_exactly_the_rows_that_were_written_last(store: Any) -> None:
    nothing = dict.fromkeys(ROW) | {"tags": {}}
    store.replace(ANY, "any/a.parquet", [ROW, ROW])
    store.replace(ANY, "any/b.parquet", [ROW])
    store.replace(ANY, "any/a.parquet", [nothing])
    assert store.objects == {"any/a.parquet": [nothing], "any/b.parquet": [ROW]}


def test_no_rows_are_an_object_too(store: Any) -> None:
    store.replace(ANY, "any/a.parquet", [ROW])
    store.replace(ANY, "any/a.parquet", [])
    assert store.objects == {"any/a.parquet": []}


def test_types_are_those_that_are_declared_whatever_the_rows_hold() -> None:
    with mock_aws():
        session = boto3.Session(region_name="us-east-1")
        s3 = session.client("s3")
        s3.create_bucket(Bucket="lake")
        schemas = []
        for rows in ([ROW], [dict.fromkeys(ROW)], []):
            WranglerStore(session, "lake").replace(ANY, "a.parquet", rows)
            body = s3.get_object(Bucket="lake", Key="a.parquet")["Body"].read()
            schema = parquet.read_schema(BytesIO(body)).remove_metadata()
            schemas.append([(field.name, str(field.type)) for field in schema])
    assert schemas[0] == schemas[1] == schemas[2]


def test_every_declared_type_is_tried_above() -> None:
    declared = {column.type for table in TABLES for column in table.columns}
    assert declared <= {column.type for column in ANY.columns}


class Answers:
    """A session whose requests are answered where they would be sent, by status and error code."""

    def __init__(self, *answers: tuple[int, str]) -> None:
        self.answers = list(answers)
        self.entered = 0

    def enter(self) -> boto3.Session:
        self.entered += 1
        session = boto3.Session(region_name="us-east-1")
        session.events.register("before-send", self._answer)
        return session

    def _answer(self, request: Any, **_: Any) -> AWSResponse:
        status, code = self.answers.pop(0)
        body = b"{}" if status == 200 else f'{{"__type": "{code}", "message": "said"}}'.encode()
        return AWSResponse(request.url, status, HTTPHeaders(), _Body(body))


class _Body:
    """The part of a urllib3 response that botocore reads."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self) -> list[bytes]:
        return [self._content]


TIME = {"TimePeriod": {"Start": "2026-11-23", "End": "2026-11-24"}}
COSTS = {**TIME, "Granularity": "DAILY", "Metrics": ["UnblendedCost"]}


@pytest.mark.parametrize(
    ("call", "request_", "code", "status", "kind"),
    [
        (COST_AND_USAGE, COSTS, "RequestChangedException", 400, AnswerChanged),
        (TAGS, TIME, "InvalidNextTokenException", 400, AnswerChanged),
        (BUDGETS, {"AccountId": ID}, "ExpiredNextTokenException", 400, AnswerChanged),
        (COST_AND_USAGE, COSTS, "DataUnavailableException", 400, NotAvailable),
        (BUDGETS, {"AccountId": ID}, "NotFoundException", 400, NotAvailable),
        (ACCOUNTS, {}, "AWSOrganizationsNotInUseException", 400, NotAvailable),
        (COST_AND_USAGE, COSTS, "ValidationException", 400, QuestionRefused),
        (ACCOUNTS, {}, "AccessDeniedException", 400, PermissionDenied),
        (COST_AND_USAGE, COSTS, "SomethingElse", 400, Defect),
    ],
)
def test_each_refusal_says_who_must_act(
    call: Call, request_: dict[str, Any], code: str, status: int, kind: type[Exception]
) -> None:
    with pytest.raises(kind) as caught:
        BillingServices(Answers((status, code)).enter).page(call, request_)
    assert type(caught.value) is kind


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long boto3 waits before it asks again; no one waits here."""
    found: list[float] = []
    monkeypatch.setattr(botocore.endpoint.time, "sleep", found.append)
    return found


@pytest.mark.parametrize("code", ["ThrottlingException", "LimitExceededException"])
def test_throttling_is_waited_out_ever_slower(code: str, pauses: list[float]) -> None:
    answers = Answers(*[(400, code)] * 6, (200, ""))
    assert BillingServices(answers.enter).page(COST_AND_USAGE, COSTS)["ResponseMetadata"]
    assert len(pauses) == 6
    # full jitter: each pause is random up to twice the limit of the one before
    assert all(pause <= min(2**n, 20) for n, pause in enumerate(pauses))
    assert len(set(pauses)) == 6


def test_throttling_without_end_is_tried_again_later(pauses: list[float]) -> None:
    answers = Answers(*[(400, "ThrottlingException")] * 8)
    with pytest.raises(TransientError):
        BillingServices(answers.enter).page(COST_AND_USAGE, COSTS)
    assert answers.answers == []


def test_the_customers_account_is_entered_once_when_it_is_first_asked() -> None:
    answers = Answers((200, ""), (200, ""))
    services = BillingServices(answers.enter, "aws-cn")
    assert answers.entered == 0
    services.page(COST_AND_USAGE, COSTS)
    services.page(ACCOUNTS, {})
    assert answers.entered == 1
    for client in services._clients.values():
        assert ".cn-northwest-1." in client.meta.endpoint_url
