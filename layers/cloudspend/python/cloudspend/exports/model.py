"""Billing periods and deliveries."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import total_ordering

from cloudspend.accounts.model import ExportKind
from cloudspend.errors import UsageError


@total_ordering
@dataclass(frozen=True)
class BillingPeriod:
    """A calendar month in UTC, which is how AWS bills; written `2026-10`."""

    year: int
    month: int

    @classmethod
    def parse(cls, text: str) -> "BillingPeriod":
        """Read `YYYY-MM`. Raises UsageError."""
        found = re.fullmatch(r"(\d{4})-(0[1-9]|1[0-2])", text)
        if not found:
            raise UsageError(
                f"{text!r} is not a billing period.", remedy="Write it as YYYY-MM, e.g. 2026-10."
            )
        return cls(int(found[1]), int(found[2]))

    @classmethod
    def of(cls, moment: datetime) -> "BillingPeriod":
        """The period that `moment` falls into."""
        moment = moment.astimezone(UTC)
        return cls(moment.year, moment.month)

    @property
    def start(self) -> datetime:
        return datetime(self.year, self.month, 1, tzinfo=UTC)

    @property
    def end(self) -> datetime:
        """The first moment after the period."""
        return self.next.start

    @property
    def next(self) -> "BillingPeriod":
        return BillingPeriod(self.year + self.month // 12, self.month % 12 + 1)

    @property
    def previous(self) -> "BillingPeriod":
        return BillingPeriod(self.year - (self.month == 1), (self.month - 2) % 12 + 1)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"

    def __lt__(self, other: "BillingPeriod") -> bool:
        return (self.year, self.month) < (other.year, other.month)


@dataclass(frozen=True)
class NamedFile:
    """A file as a manifest names it; without `bucket` it is in the manifest's own."""

    bucket: str | None
    key: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}" if self.bucket else self.key


@dataclass(frozen=True)
class Manifest:
    """What a manifest says, before it is known whose it is.

    `form` is the key that its family lists files under; `kinds` are those its columns can be of, at
    least one. `delivery_id` is None where AWS gives none. `compression` is "gzip", "zip" or
    "parquet". `columns` are names in order, with AWS's types ("" where none is given).
    `account_id` and `bucket` are told by the legacy report only.
    """

    form: str
    kinds: frozenset[ExportKind]
    period: BillingPeriod
    delivery_id: str | None
    files: tuple[NamedFile, ...]
    compression: str
    columns: Mapping[str, str]
    account_id: str | None = None
    bucket: str | None = None


@dataclass(frozen=True)
class DeliveredFile:
    """A file that a manifest names, as it was when the delivery was planned. `size` in bytes.

    A file on a disk has an empty `bucket`, and its path as `key`.
    """

    bucket: str
    key: str
    etag: str
    size: int

    @property
    def place(self) -> str:
        """The file as a person would name it."""
        return f"s3://{self.bucket}/{self.key}" if self.bucket else self.key


@dataclass(frozen=True)
class Delivery:
    """One manifest: an immutable list of files for one billing period.

    `delivered_at` is when S3 received the manifest; it orders the deliveries of a period.
    `delivery_id` is AWS's own (the assembly or execution id), or derived from the manifest's ETag
    where AWS gives none. `kind`, `compression` and `columns`: see `Manifest`.
    """

    account_id: str
    kind: ExportKind
    period: BillingPeriod
    delivery_id: str
    delivered_at: datetime
    manifest_bucket: str
    manifest_key: str
    file_keys: tuple[str, ...]
    compression: str
    columns: Mapping[str, str]

    @property
    def generation(self) -> str:
        """The name of the platform's copy: sorts by time, and is the same on every repeat."""
        digest = _short_digest(self.delivery_id)
        return f"{self.delivered_at.astimezone(UTC):%Y%m%dT%H%M%SZ}-{digest}"


def _short_digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
