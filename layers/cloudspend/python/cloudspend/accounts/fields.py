"""Validation of an account's fields.

Each function returns the normalized value, or raises UsageError that names the field, the value and
the allowed values.
"""

import re
from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import TypeVar

from cloudspend.accounts.model import DATA_EXPORTS, ExportKind
from cloudspend.errors import UsageError
from cloudspend.settings import CUSTOMER_ROLE, DOMAINS

Kind = TypeVar("Kind", bound=StrEnum)

RETENTION_MONTHS = (13, 36, 84)
KEEP = "keep"
# AWS delivers up to three times a day, at no fixed time.
FRESHNESS_HOURS = range(12, 721)
USUAL = "usual"
MAX_NAME = 64
# The longest value that keeps a quick-create link within 1,024 characters.
MAX_PREFIX = 80
# A path can have 512 characters (IAM API reference, CreateRole).
MAX_ARN = 700
MAX_LINE = 128
MAX_NOTES = 2000
MAX_CONTACTS = 10
# All accounts share one table; each additional column makes query plans longer.
MAX_TAG_COLUMNS = 10
TAG_KEYS = (
    "up to 128 letters, digits, blanks and _ . : / = + - @, with a letter (a to z) or digit; keys "
    "of AWS begin with aws:"
)

EMAILS = "an e-mail address, e.g. billing@example.com"
# Much narrower than RFC 5322, and wide enough for common addresses.
_EMAIL = re.compile(r"[0-9A-Za-z.!#$%&'*+/=?^_{|}~-]+@[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)+")
# S3 user guide, "General purpose bucket naming rules".
_BUCKET = re.compile(r"[a-z0-9](?!.*\.\.)[a-z0-9.-]{1,61}[a-z0-9]")
# AWS Billing user guide, "User-defined tag restrictions". The key without its origin prefix must be
# a valid column name (`convert.focus.names.tag_column`).
_TAG_KEY = re.compile(r"(?!(user|aws)[:_][^0-9A-Za-z]+$)[\w .:/=+@-]*[0-9A-Za-z][\w .:/=+@-]*")
# Narrower than AWS allows: `*` and `?` would be wildcards in the role's policy.
_PREFIX = re.compile(r"[0-9A-Za-z_-]+([./][0-9A-Za-z_-]+)*")
_EXPORT_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z_.-]*")
# IAM API reference, CreateRole, Path.
_ROLE_PATH = r"/([\w+=,.@-]+/)*"
_KMS_KEY = re.compile(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[0-9a-z-]+")
_VERSION = re.compile(r"[0-9]{1,6}")
# AWS Billing and Cost Management API reference, Export: without the dots that a report's name may
# have.
_DATA_EXPORT_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]*")


def account_id(text: str) -> str:
    """Validate an AWS account id of 12 digits."""
    return _match("account id", text, re.compile(r"[0-9]{12}"), "exactly 12 digits")


def display_name(text: str) -> str:
    """Validate a name for people; surrounding blanks are removed."""
    name = text.strip()
    if not name or len(name) > MAX_NAME or not name.isprintable():
        raise refused("display name", text, f"1 to {MAX_NAME} printable characters")
    return name


def one_of(field: str, text: str, kind: type[Kind]) -> Kind:
    """Return the member of `kind`, written in any case."""
    for member in kind:
        if member.value.lower() == text.lower():
            return member
    raise refused(field, text, "one of " + ", ".join(kind))


def partition(text: str, of_platform: str) -> str:
    """Validate the account's AWS partition, which must be the platform's."""
    if text not in DOMAINS:
        raise refused("partition", text, "one of " + ", ".join(DOMAINS))
    if text != of_platform:
        raise UsageError(
            f"The partition {text!r} is not the platform's, which is {of_platform}.",
            remedy="Roles, topics and buses of one partition are not known in another: deploy "
            f"CloudSpend in a region of {text} and invite the account there.",
        )
    return text


def regions(texts: Sequence[str], known: frozenset[str]) -> tuple[str, ...]:
    """Validate at least one region code of `known`, without duplicates."""
    allowed = ", ".join(sorted(known))
    if not texts:
        raise refused("regions", "", f"at least one of {allowed}")
    for text in texts:
        if text not in known:
            raise refused("region", text, f"one of {allowed}")
    return tuple(dict.fromkeys(texts))


def contacts(texts: Sequence[str]) -> tuple[str, ...]:
    """Validate e-mail addresses, without duplicates."""
    found = tuple(dict.fromkeys(_match("contact", text, _EMAIL, EMAILS, 254) for text in texts))
    if len(found) > MAX_CONTACTS:
        raise refused("list of contacts", ", ".join(found), f"up to {MAX_CONTACTS} addresses")
    return found


def line(field: str, text: str) -> str:
    """Validate a line of text, which can be empty."""
    if len(text) > MAX_LINE or not text.isprintable():
        raise refused(field, text, f"up to {MAX_LINE} printable characters")
    return text.strip()


def notes(text: str) -> str:
    """Validate text of any number of lines."""
    if len(text) > MAX_NOTES or not text.replace("\n", "").isprintable():
        raise refused("notes", text, f"up to {MAX_NOTES} printable characters and line breaks")
    return text.strip()


def start_date(text: str, today: date) -> date:
    """Validate the first day whose cost is ingested; not in the future."""
    allowed = f"a day written YYYY-MM-DD, not after today ({today})"
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise refused("start date", text, allowed) from error
    if day > today:
        raise refused("start date", text, allowed)
    return day


def retention_months(months: str | int) -> int | None:
    """Validate the retention in months; None keeps data permanently."""
    text = str(months)
    if text == KEEP:
        return None
    if text not in map(str, RETENTION_MONTHS):
        allowed = ", ".join(map(str, RETENTION_MONTHS))
        raise refused("retention", text, f"{allowed} (months), or {KEEP} to keep all")
    return int(text)


def freshness_hours(hours: str | int) -> int | None:
    """Validate the freshness target in hours; None uses the platform's."""
    text = str(hours)
    if text == USUAL:
        return None
    if not text.isascii() or not text.isdecimal() or int(text) not in FRESHNESS_HOURS:
        allowed = f"{FRESHNESS_HOURS[0]} to {FRESHNESS_HOURS[-1]} (hours), or {USUAL}"
        raise refused("freshness", text, f"{allowed} for the platform's")
    return int(text)


def billing_detail(wanted: bool | None, kind: ExportKind) -> bool:
    """Return whether billing_detail is filled; by default where the export has its columns."""
    if wanted and not kind.is_cur:
        raise UsageError(
            f"An export of kind {kind} cannot fill the table billing_detail.",
            remedy="Leave --billing-detail out, or choose CUR_LEGACY or CUR_2_0.",
        )
    return kind.is_cur if wanted is None else wanted


def tag_columns(keys: Sequence[str]) -> tuple[str, ...]:
    """Validate tag keys that get columns of their own, without duplicates. Each must give a column
    name.
    """
    found = tuple(dict.fromkeys(_match("tag key", key, _TAG_KEY, TAG_KEYS, 128) for key in keys))
    if len(found) > MAX_TAG_COLUMNS:
        raise refused("list of tag columns", ", ".join(found), f"up to {MAX_TAG_COLUMNS} tag keys")
    return found


def bucket(text: str) -> str:
    """Validate an S3 bucket name."""
    return _match("export bucket", text, _BUCKET, "an S3 bucket name")


def prefix(text: str) -> str:
    """Validate the part of an export's keys before its name."""
    allowed = f"up to {MAX_PREFIX} letters, digits, '-', '_', with single '.' or '/' between them"
    return _match("export prefix", text, _PREFIX, allowed, most=MAX_PREFIX)


def export_name(text: str, kind: ExportKind) -> str:
    """Validate the name of an export of `kind`."""
    if kind in DATA_EXPORTS:
        allowed = "up to 128 letters, digits, '-', '_', the first a letter or digit"
        return _match("export name", text, _DATA_EXPORT_NAME, allowed, most=128)
    allowed = "up to 128 letters, digits, '-', '_', '.', the first a letter or digit"
    return _match("export name", text, _EXPORT_NAME, allowed, most=128)


def role_arn(text: str, account: str, partition: str) -> str:
    """Validate the ARN of the customer's role. Its name and account are fixed, its path is free."""
    name = re.escape(CUSTOMER_ROLE)
    pattern = re.compile(f"arn:{partition}:iam::{account}:role{_ROLE_PATH}{name}", re.ASCII)
    allowed = f"arn:{partition}:iam::{account}:role/{CUSTOMER_ROLE}, with a path or without"
    return _match("RoleArn", text, pattern, allowed, most=MAX_ARN)


def kms_key(text: str) -> str | None:
    """Validate the ARN of a customer's KMS key; None for an empty text."""
    if not text:
        return None
    allowed = "the ARN of a KMS key (not of an alias), or nothing"
    return _match("KMS key", text, _KMS_KEY, allowed, most=MAX_ARN)


def template_version(text: str) -> str | None:
    """Validate the version number of the template; None for an empty text."""
    return _match("template version", text, _VERSION, "a number") if text else None


def refused(field: str, value: str, allowed: str) -> UsageError:
    """Return the error for an invalid value."""
    return UsageError(
        f"The {field} {value[:80]!r} is not allowed.",
        remedy=f"Allowed: {allowed}.",
        field=field,
        value=value[:80],
        allowed=allowed,
    )


def _match(field: str, text: str, pattern: re.Pattern[str], allowed: str, most: int = 63) -> str:
    if len(text) > most or not pattern.fullmatch(text):
        raise refused(field, text, allowed)
    return text
