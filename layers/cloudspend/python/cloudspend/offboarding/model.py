"""Options of an offboarding, and the report that proves it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from cloudspend.accounts.model import Account, Change
from cloudspend.settings import CUSTOMER_STACK, EXPORT_STACK, OFFBOARDED

# Names of remaining data in a report, which people read.
MAX_NAMED = 100


class Data(StrEnum):
    """KEEP: access ends, and readers still find the ingested data. DELETE: only the report
    remains.
    """

    KEEP = "keep"
    DELETE = "delete"


@dataclass(frozen=True)
class Found:
    """Remaining data of one kind: the number, and the first names."""

    count: int = 0
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Report:
    """The proof of an offboarding, stored in the lake bucket.

    `account` are the facts by which people identify the account; `history` is its history, which
    the registry loses. `removed` counts the removed data by kind, `remaining` is the result of the
    final listing. `finished_at` is None until that listing.
    """

    account: Mapping[str, str]
    data: Data
    history: Sequence[Mapping[str, Any]] = ()
    removed: Mapping[str, int] = field(default_factory=dict)
    remaining: Mapping[str, Found] = field(default_factory=dict)
    finished_at: datetime | None = None

    @classmethod
    def begin(cls, account: Account, data: Data, history: Sequence[Change]) -> "Report":
        """Return the report before anything is removed."""
        return cls(facts_of(account), data, [to_json(step) for step in history])

    @property
    def is_clean(self) -> bool:
        """Return whether the final listing found nothing."""
        return self.finished_at is not None and not any(
            found.count for found in self.remaining.values()
        )

    def to_payload(self) -> dict[str, Any]:
        """Return the report as JSON-ready values."""
        return {
            "account": dict(self.account),
            "data": str(self.data),
            "history": [dict(step) for step in self.history],
            "removed": dict(self.removed),
            "remaining": {
                kind: {"count": found.count, "names": list(found.names)}
                for kind, found in self.remaining.items()
            },
            "finished_at": self.finished_at and self.finished_at.isoformat(),
            "customer": instruction(self.account),
        }

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> "Report":
        """Read the output of `to_payload`."""
        finished = payload["finished_at"]
        return cls(
            payload["account"],
            Data(payload["data"]),
            payload["history"],
            payload["removed"],
            {
                kind: Found(found["count"], tuple(found["names"]))
                for kind, found in payload["remaining"].items()
            },
            finished and datetime.fromisoformat(finished),
        )


def facts_of(account: Account) -> dict[str, str]:
    """Return the facts by which people identify the account without the registry."""
    return {
        "account_id": account.account_id,
        "name": account.display_name,
        "type": str(account.type),
        "role_arn": account.role_arn or "",
        "stack_id": account.stack_id or "",
        "key_of": account.key.user_arn if account.key else "",
    }


def to_json(step: Change) -> dict[str, Any]:
    """Return a history entry in the form of the report."""
    return {
        **asdict(step),
        "before": step.before and str(step.before),
        "after": str(step.after),
        "at": step.at.isoformat(),
    }


def report_folder(account_id: str) -> str:
    """Return the folder of an account's reports in the lake bucket.

    It is not a table's folder, so removing an account's data never removes the proof.
    """
    return f"{OFFBOARDED}/{account_id}/"


def instruction(account: Mapping[str, str]) -> str:
    """Return what the customer must do at the end, which the platform cannot."""
    stack = account["stack_id"].rpartition("stack/")[2].partition("/")[0] or CUSTOMER_STACK
    bucket = (
        "The bucket with the delivered bills is yours and stays; empty and delete it if no one "
        "else reads it, and delete the export in Billing and Cost Management if the stack did not "
        "make it."
    )
    if user := account.get("key_of"):
        return (
            f"In the account {account['account_id']}, delete the access key that CloudSpend was "
            f"given of the IAM user {user}, and the user if it was made for that alone. Delete the "
            f"CloudFormation stack {EXPORT_STACK!r}, if one made the export. {bucket}"
        )
    return (
        f"In the account {account['account_id']}, delete the CloudFormation stack {stack!r}: it "
        f"holds the role and the rule that CloudSpend used. {bucket} An IAM user whose access key "
        "CloudSpend was given should lose that key."
    )
