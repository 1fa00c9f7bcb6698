"""Cost Explorer through boto3."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from cloudspend.collect.ports import AnswerChanged
from cloudspend.errors import CloudSpendError, Defect, PermissionDenied, TransientError, UsageError

# Cost Explorer has one endpoint a partition (AWS General Reference, Billing and Cost Management
# endpoints). Costs of aws-us-gov are read through the paired account in aws.
REGIONS = {"aws": "us-east-1", "aws-us-gov": "us-east-1", "aws-cn": "cn-northwest-1"}

CHANGED = {"RequestChangedException", "InvalidNextTokenException"}
DENIED = {"AccessDeniedException", "AccessDenied", "UnrecognizedClientException"}
EXPIRED = {"BillExpirationException"}
# Beside these every answer of the HTTP class 5xx passes by itself.
PASSING = {
    "LimitExceededException",
    "DataUnavailableException",
    "ThrottlingException",
    "Throttling",
    "TooManyRequestsException",
    "RequestLimitExceeded",
    "ExpiredTokenException",
    "ExpiredToken",
}


class CostExplorerApi:
    """`ports.CostExplorer` on a boto3 client of the service `ce`."""

    def __init__(self, client: Any) -> None:
        self._client = client

    @classmethod
    def of(cls, session: boto3.Session, partition: str = "aws") -> "CostExplorerApi":
        """Cost Explorer as `session` sees it, in the only region of `partition` that has it."""
        return cls(session.client("ce", region_name=REGIONS[partition]))

    def cost_and_usage(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        with _told("ce:GetCostAndUsage"):
            answer: Mapping[str, Any] = self._client.get_cost_and_usage(**request)
            return answer

    def dimension_values(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        with _told("ce:GetDimensionValues"):
            answer: Mapping[str, Any] = self._client.get_dimension_values(**request)
            return answer


@contextmanager
def _told(action: str) -> Iterator[None]:
    """Raise what boto3 raises in the words of this library."""
    try:
        yield
    except ClientError as error:
        raise _sorted_out(action, error) from error
    except BotoCoreError as error:
        raise TransientError(
            f"Cost Explorer cannot be reached: {error}", remedy="Try again later.", action=action
        ) from error


def _sorted_out(action: str, error: ClientError) -> Exception:
    code = error.response["Error"].get("Code", "")
    if code in CHANGED:
        return AnswerChanged(code)
    return _error(action, code, error)


def _error(action: str, code: str, error: ClientError) -> CloudSpendError:
    said = error.response["Error"].get("Message", "")
    status = error.response["ResponseMetadata"].get("HTTPStatusCode", 0)
    details = {"action": action, "code": code, "said": said}
    if code in DENIED:
        return PermissionDenied(
            f"{action} is denied: {said}",
            remedy=f"Allow {action} for the role in the customer's account: update its stack, look "
            "for a service control policy that forbids it, and see in the billing console that "
            "Cost Explorer is enabled and open to this account.",
            **details,
        )
    if code in EXPIRED:
        return UsageError(
            "Cost Explorer no longer has this billing period.",
            remedy="It keeps 13 months, or 38 where the account has enabled multi-year data.",
            **details,
        )
    if code in PASSING or status >= 500:
        return TransientError(
            f"Cost Explorer does not answer now ({code}): {said}",
            remedy="Try again later.",
            **details,
        )
    return Defect(f"Cost Explorer refuses {action} ({code}): {said}", **details)
