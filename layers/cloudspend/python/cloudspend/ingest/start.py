"""Start Ingest: one execution per delivery, named after it, so a repeat starts nothing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cloudspend import payloads as p
from cloudspend.accounts.model import Account
from cloudspend.exports.model import BillingPeriod, Delivery
from cloudspend.exports.ports import CustomerBucket
from cloudspend.lake.ports import Executions

OpenBucket = Callable[[Account], CustomerBucket]

RUNNING, SUCCEEDED = "RUNNING", "SUCCEEDED"


@dataclass(frozen=True)
class IngestRequest:
    """The part of a delivery that is needed to start Ingest."""

    account_id: str
    period: BillingPeriod
    generation: str
    manifest_bucket: str
    manifest_key: str

    @classmethod
    def of(cls, delivery: Delivery) -> "IngestRequest":
        """Return the request for `delivery`."""
        return cls(
            delivery.account_id,
            delivery.period,
            delivery.generation,
            delivery.manifest_bucket,
            delivery.manifest_key,
        )

    @classmethod
    def from_payload(cls, payload: Mapping[str, str]) -> "IngestRequest":
        """Read the output of `to_payload`."""
        return cls(
            payload[p.ACCOUNT_ID],
            BillingPeriod.parse(payload[p.PERIOD]),
            payload[p.GENERATION],
            payload[p.MANIFEST_BUCKET],
            payload[p.MANIFEST_KEY],
        )

    def to_payload(self) -> dict[str, str]:
        """Return the request as step payload."""
        return {**self.to_start(), p.PERIOD: str(self.period), p.GENERATION: self.generation}

    def to_start(self) -> dict[str, str]:
        """Return the input of an execution of Ingest."""
        return {
            p.ACCOUNT_ID: self.account_id,
            p.MANIFEST_BUCKET: self.manifest_bucket,
            p.MANIFEST_KEY: self.manifest_key,
        }

    def execution(self, attempt: int = 1) -> str:
        """Return `<account>_<yyyy-mm>_<generation>`, from the second attempt on with
        `_<attempt>`.
        """
        name = f"{self.account_id}_{self.period}_{self.generation}"
        return name if attempt == 1 else f"{name}_{attempt}"


@dataclass(frozen=True)
class Started:
    """The result of starting Ingest. `execution` is the execution that decided it; `running`
    whether it runs.
    """

    period: BillingPeriod
    generation: str
    execution: str
    started: bool
    running: bool
    reason: str


def start_ingest(request: IngestRequest, executions: Executions, *, again: bool = False) -> Started:
    """Start the delivery's first attempt; `again` starts the next one after a failed attempt.

    Starts nothing while an attempt runs or after one succeeded, and without `again` nothing after
    any attempt: a late event must not repeat a failure.
    """
    attempt = 1
    while True:
        name = request.execution(attempt)
        if executions.start(name, request.to_start()):
            return _started(request, name, "Ingest was started.", started=True, running=True)
        status = executions.status(name)
        if status in (RUNNING, None):  # None: taken a moment ago, and not to be read yet
            return _started(request, name, "Ingest is running.", running=True)
        if status == SUCCEEDED:
            return _started(request, name, "The delivery was taken in before.")
        if not again:
            return _started(request, name, f"The attempt before ended as {status}.")
        attempt += 1


def _started(
    request: IngestRequest,
    name: str,
    reason: str,
    *,
    started: bool = False,
    running: bool = False,
) -> Started:
    return Started(request.period, request.generation, name, started, running, reason)
