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
    """A calendar month in UTC, the period of AWS bills; written `2026-10`."""

    year: int
    month: int

    @classmethod
    def parse(cls, text: str) -> "BillingPeriod":
        """Parse `YYYY-MM`. Raises UsageError."""
        found = re.fullmatch(r"(\d{4})-(0[1-9]|1[0-2])", text)
        if not found:
            raise UsageError(
                f"{text!r} is not a billing period.", remedy="Write it as YYYY-MM, e.g. 2026-10."
            )
        return cls(int(found[1]), int(found[2]))

    @classmethod
    def of(cls, moment: datetime) -> "BillingPeriod":
        """Return the period that contains `moment`."""
        moment = moment.astimezone(UTC)
        return cls(moment.year, moment.month)

    @property
    def start(self) -> datetime:
        return datetime(self.year, self.month, 1, tzinfo=UTC)

    @property
    def end(self) -> datetime:
        """Return the first moment after the period."""
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
    """A file that a manifest lists; without `bucket` it is in the manifest's bucket."""

    bucket: str | None
    key: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}" if self.bucket else self.key


@dataclass(frozen=True)
class Manifest:
    """The content of a manifest, before its owner is known.

    `form` is the key under which its family lists files. `kinds` are the kinds that its columns
    match, at least one. `delivery_id` is None if AWS gives none. `compression` is "gzip", "zip" or
    "parquet". `columns` are names in order with AWS's types ("" if unknown). Only the legacy report
    contains `account_id` and `bucket`.
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
    """A listed file as it was when the delivery was planned. `size` in bytes.

    A file on disk has an empty `bucket`, and its path as `key`.
    """

    bucket: str
    key: str
    etag: str
    size: int

    @property
    def place(self) -> str:
        """Return the file's location for a person."""
        return f"s3://{self.bucket}/{self.key}" if self.bucket else self.key


@dataclass(frozen=True)
class Delivery:
    """One manifest: an immutable list of files for one billing period.

    `delivered_at` is when S3 received the manifest; it orders the deliveries of a period.
    `delivery_id` is AWS's (the assembly or execution id), or derived from the manifest's ETag if
    AWS gives none. For `kind`, `compression` and `columns` see `Manifest`.
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
        """Return the name of the platform's copy: it sorts by time, and repeats have the same."""
        digest = _short_digest(self.delivery_id)
        return f"{self.delivered_at.astimezone(UTC):%Y%m%dT%H%M%SZ}-{digest}"


def _short_digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
