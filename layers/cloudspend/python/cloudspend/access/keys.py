"""Access keys: reading, identity and formats.

A key never shows itself: neither its `repr` nor an error contains any part of it. It travels from
the operator's file to AWS Secrets Manager, and from there to AWS STS, and nowhere else.
"""

import csv
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cloudspend.errors import ConnectionRefused, UsageError

# IAM user guide, "Unique identifiers": AKIA is a long-term key, ASIA a key of a session.
_ID = re.compile(r"AKIA[A-Z0-9]{16}")
_SECRET = re.compile(r"[A-Za-z0-9/+=]{40}")
MAX_FILE = 10_000
SHOWN = 4

FORMS = (
    "the key as AWS hands it out: the console's .csv file, the answer of `aws iam "
    "create-access-key` as JSON, or id and secret on two lines"
)
_ID_NAMES = ("AccessKeyId", "Access key ID")
_SECRET_NAMES = ("SecretAccessKey", "Secret access key")


@dataclass(frozen=True)
class AccessKey:
    """The long-term access key of an IAM user."""

    id: str = field(repr=False)
    secret: str = field(repr=False)

    @property
    def ending(self) -> str:
        """Return the last characters of the key's id, by which people identify it."""
        return self.id[-SHOWN:]

    def to_text(self) -> str:
        """Return the text that Secrets Manager stores."""
        return json.dumps({_ID_NAMES[0]: self.id, _SECRET_NAMES[0]: self.secret})


def read_key(text: str) -> AccessKey:
    """Read a key in any of `FORMS`. Raises UsageError, whose text repeats nothing of the input."""
    if len(text) > MAX_FILE:
        raise _unreadable()
    found = _json(text) or _csv(text) or _lines(text)
    if found is None:
        raise _unreadable()
    key = AccessKey(*found)
    if key.id.startswith("ASIA"):
        raise UsageError(
            "This is a key of a session, which ends within hours.",
            remedy="Give the long-term key of an IAM user; its id begins with AKIA.",
        )
    if not _ID.fullmatch(key.id) or not _SECRET.fullmatch(key.secret):
        raise _unreadable()
    return key


@dataclass(frozen=True)
class Identity:
    """The owner of a key, as STS reports its caller."""

    account_id: str
    arn: str


def require_user_of(identity: Identity, account_id: str) -> None:
    """Raise ConnectionRefused unless the key belongs to an IAM user of this account."""
    if identity.account_id != account_id:
        raise ConnectionRefused(
            f"The key belongs to the account {identity.account_id}, not to {account_id}.",
            remedy="Give a key that was made in the account that was invited.",
            check=RIGHT_ACCOUNT,
        )
    if identity.arn.endswith(":root"):
        raise ConnectionRefused(
            "The key is the root user's, which may do everything.",
            remedy="Delete it, make an IAM user for CloudSpend alone, and give that user's key.",
            check=NOT_ROOT,
        )
    if ":user/" not in identity.arn:
        raise ConnectionRefused(
            f"The key is not an IAM user's but belongs to {identity.arn}.",
            remedy="Give the long-term key of an IAM user that was made for CloudSpend alone.",
            check=NOT_ROOT,
        )


RIGHT_ACCOUNT = "right-account"
NOT_ROOT = "key-of-a-user"


def _json(text: str) -> tuple[str, str] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    inner = value.get("AccessKey", value)
    return _named(inner) if isinstance(inner, dict) else None


def _csv(text: str) -> tuple[str, str] | None:
    # Excel and the console put a byte order mark before a file's first column.
    rows = list(csv.DictReader(text.lstrip("\ufeff").splitlines()))
    return _named(rows[0]) if len(rows) == 1 else None


def _lines(text: str) -> tuple[str, str] | None:
    lines = text.split()
    return (lines[0], lines[1]) if len(lines) == 2 else None


def _named(values: Mapping[Any, Any]) -> tuple[str, str] | None:
    ids = [values[name] for name in _ID_NAMES if isinstance(values.get(name), str)]
    secrets = [values[name] for name in _SECRET_NAMES if isinstance(values.get(name), str)]
    return (ids[0].strip(), secrets[0].strip()) if ids and secrets else None


def _unreadable() -> UsageError:
    return UsageError("What was given is no access key.", remedy=f"Give {FORMS}.")
