"""AWS adapters of Collect: billing services, progress and budget in the registry, rows by
awswrangler.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import awswrangler as wr
import boto3
import pandas as pd
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from cloudspend.accounts.items import account_key
from cloudspend.aws.dynamodb import DynamoTable, Expression, is_written, items_under
from cloudspend.aws.errors import aws_errors, code, is_transient, message, translate
from cloudspend.collect.calls import PRICED_SERVICE, Call
from cloudspend.collect.items import (
    PROGRESS,
    from_collected,
    kept_until,
    spend_key,
    to_collected,
)
from cloudspend.collect.model import Collected
from cloudspend.collect.ports import AnswerChanged, CapReached, NotAvailable, QuestionRefused
from cloudspend.errors import CloudSpendError, Defect, PermissionDenied, TransientError, UsageError
from cloudspend.lake.tables import Table
from cloudspend.settings import BILLING_REGIONS

if TYPE_CHECKING:
    from mypy_boto3_ce import CostExplorerClient
    from mypy_boto3_dynamodb.service_resource import Table as DynamoDBTable

# Cost Explorer has one endpoint per partition (AWS General Reference, Billing and Cost Management
# endpoints). Costs of aws-us-gov are read through the paired account in aws.
REGIONS = {"aws": "us-east-1", "aws-us-gov": "us-east-1", "aws-cn": "cn-northwest-1"}

CHANGED = {"RequestChangedException", "InvalidNextTokenException", "ExpiredNextTokenException"}
DENIED = {"AccessDeniedException", "AccessDenied", "UnrecognizedClientException"}
EXPIRED = {"BillExpirationException"}
# Transient for Cost Explorer, in addition to `aws.errors.TRANSIENT`. A session that expired is
# replaced by the next call's.
PASSING = {"DataUnavailableException", "ExpiredTokenException", "ExpiredToken"}

# Codes for "no such data" and "never enabled".
NOTHING = {
    "DataUnavailableException",
    "BillExpirationException",
    "AWSOrganizationsNotInUseException",
    "NotFoundException",
    "ResourceNotFoundException",
}
REFUSED = {"ValidationException", "InvalidParameterException", "InvalidInputException"}
# boto3 retries throttled requests with exponential backoff and jitter.
PATIENT = Config(retries={"mode": "standard", "total_max_attempts": 8})


class CostExplorerApi:
    """`ports.CostExplorer` on a boto3 client of the service `ce`."""

    def __init__(self, client: "CostExplorerClient") -> None:
        self._client = client

    @classmethod
    def of(cls, session: boto3.Session, partition: str = "aws") -> "CostExplorerApi":
        """Return Cost Explorer for `session`, in the only region of `partition` that has it."""
        return cls(session.client("ce", region_name=REGIONS[partition]))

    def cost_and_usage(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        with _cost_explorer("ce:GetCostAndUsage"):
            answer: Mapping[str, Any] = self._client.get_cost_and_usage(**request)
            return answer

    def dimension_values(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        with _cost_explorer("ce:GetDimensionValues"):
            answer: Mapping[str, Any] = self._client.get_dimension_values(**request)
            return answer


@contextmanager
def _cost_explorer(action: str) -> Iterator[None]:
    """Raise errors of Cost Explorer as the library's errors."""
    try:
        yield
    except ClientError as error:
        raise _meaning(action, error) from error
    except BotoCoreError as error:
        raise _unanswered(action, error) from error


def _unanswered(action: str, error: BotoCoreError) -> CloudSpendError:
    """Return the error for a request without an answer."""
    translated = translate(error, action)
    if isinstance(translated, TransientError):
        return TransientError(
            f"AWS cannot be reached for {action}: {error}", remedy="Try again later.", action=action
        )
    return translated or Defect(f"{action} failed: {error}", action=action)


def _meaning(action: str, error: ClientError) -> Exception:
    """Return the error for an answer of AWS."""
    if code(error) in CHANGED:
        return AnswerChanged(code(error))
    return _error(action, error)


def _error(action: str, error: ClientError) -> CloudSpendError:
    said = message(error)
    details = {"action": action, "code": code(error), "said": said}
    if code(error) in DENIED:
        return PermissionDenied(
            f"{action} is denied: {said}",
            remedy=f"Allow {action} for the role in the customer's account: update its stack, look "
            "for a service control policy that forbids it, and see in the billing console that "
            "Cost Explorer is enabled and open to this account.",
            **details,
        )
    if code(error) in EXPIRED:
        return UsageError(
            "Cost Explorer no longer has this billing period.",
            remedy="It keeps 13 months, or 38 where the account has enabled multi-year data.",
            **details,
        )
    if code(error) in PASSING or is_transient(error):
        return TransientError(
            f"Cost Explorer does not answer now ({code(error)}): {said}",
            remedy="Try again later.",
            **details,
        )
    return Defect(f"Cost Explorer refuses {action} ({code(error)}): {said}", **details)


class BillingServices:
    """`ports.Services` with a session in the customer's account, created before the first page.

    Calls raise the errors of `enter` then.
    """

    def __init__(self, enter: Callable[[], boto3.Session], partition: str = "aws") -> None:
        self._enter = enter
        self._partition = partition
        self._session: boto3.Session | None = None
        self._clients: dict[str, Any] = {}

    def page(self, call: Call, request: Mapping[str, Any]) -> Mapping[str, Any]:
        operation = getattr(self._client(call.service), call.operation)
        with _asked(call.action):
            answer: Mapping[str, Any] = operation(**request)
            return answer

    def _client(self, service: str) -> Any:
        if service not in self._clients:
            self._session = self._session or self._enter()
            regions = REGIONS if service == PRICED_SERVICE else BILLING_REGIONS
            self._clients[service] = self._session.client(
                service,
                region_name=regions[self._partition],
                config=PATIENT,
            )
        return self._clients[service]


class DynamoSpend:
    """`ports.RequestBudget` on the registry table, one item per account and day. DynamoDB deletes
    old items.
    """

    def __init__(self, table: "DynamoDBTable") -> None:
        self._table = DynamoTable(table)

    def take(self, account_id: str, day: date, cap: int) -> None:
        key = spend_key(account_id, day)
        update = Expression(
            "ADD pages :one SET delete_after = :late", {":one": 1, ":late": kept_until(day)}
        )
        below_cap = Expression("attribute_not_exists(pages) OR pages < :cap", {":cap": cap})
        if cap < 1 or not is_written(lambda: self._table.update(key, update, below_cap)):
            raise CapReached(
                f"Cost Explorer was asked for {cap} pages of the account {account_id} today, as "
                "many as it may be.",
                remedy="What is missing is collected from tomorrow on. If it never catches up, "
                "deploy with a higher stage setting collect_pages.",
                cap=cap,
            )

    def taken(self, account_id: str, day: date) -> int:
        item = self._table.get(spend_key(account_id, day)) or {}
        return int(item.get("pages", 0))

    def first_to_say(self, account_id: str, day: date) -> bool:
        key = spend_key(account_id, day)
        update = Expression("SET said = :yes", {":yes": True})
        first = Expression("attribute_not_exists(said)")
        return is_written(lambda: self._table.update(key, update, first))


class DynamoProgress:
    """`ports.Progress` on the registry table, one item per account and source."""

    def __init__(self, table: "DynamoDBTable") -> None:
        self._table = DynamoTable(table)

    def get(self, account_id: str, source: str) -> Collected | None:
        item = self._table.get(account_key(account_id, PROGRESS + source))
        return to_collected(item) if item else None

    def all(self, account_id: str) -> dict[str, Collected]:
        partition = account_key(account_id, "")["pk"]
        return {
            item["sk"].removeprefix(PROGRESS): to_collected(item)
            for item in self._table.query(items_under(partition, PROGRESS))
        }

    def put(self, account_id: str, source: str, collected: Collected) -> None:
        self._table.put(from_collected(account_id, source, collected))


class WranglerStore:
    """`ports.Store` by awswrangler: one Parquet object per slice. The bucket encrypts by
    default.
    """

    def __init__(self, session: boto3.Session, bucket: str) -> None:
        self._session = session
        self._bucket = bucket

    @property
    def bucket(self) -> str:
        return self._bucket

    def replace(self, table: Table, key: str, rows: Sequence[Mapping[str, Any]]) -> None:
        types = {column.name: column.type for column in table.columns}
        frame = pd.DataFrame(
            {name: [_value(row[name]) for row in rows] for name in types}, dtype=object
        )
        with aws_errors("The lake"):
            wr.s3.to_parquet(
                frame,
                path=f"s3://{self._bucket}/{key}",
                index=False,
                compression="zstd",
                dtype=types,
                boto3_session=self._session,
            )


@contextmanager
def _asked(action: str) -> Iterator[None]:
    """Raise errors of any billing service as the library's errors.

    Raises NotAvailable when AWS has no data for the account, and QuestionRefused when it refuses
    the question.
    """
    try:
        yield
    except ClientError as error:
        said = message(error)
        details = {"action": action, "code": code(error), "said": said}
        if code(error) in NOTHING:
            raise NotAvailable(
                f"AWS has no data for {action} ({code(error)}): {said}",
                remedy="No action is needed. If you expected data, check in the billing console "
                "that the service is enabled.",
                **details,
            ) from error
        if code(error) in REFUSED:
            raise QuestionRefused(
                f"AWS refuses {action} ({code(error)}): {said}", **details
            ) from error
        raise _meaning(action, error) from error
    except BotoCoreError as error:
        raise _unanswered(action, error) from error


def _value(value: Any) -> Any:
    """Return a value for pyarrow: times in UTC without a zone, as Athena reads them, and maps as
    pairs.
    """
    if isinstance(value, Mapping):
        return list(value.items())
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None)
    return value
