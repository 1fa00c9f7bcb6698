"""Access keys: their formats, and the checks of their owners.

Neither the `repr` of a key nor an error contains its id or secret, except the last characters of
the id. A key is read from the operator's file, stored in AWS Secrets Manager, and sent to AWS STS;
nothing else receives it.
"""

import csv
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cloudspend.errors import ConnectionRefused, UsageError

# IAM user guide, "IAM identifiers": AKIA begins a long-term key, ASIA the key of a session.
_ID = re.compile(r"AKIA[A-Z0-9]{16}")
_SECRET = re.compile(r"[A-Za-z0-9/+=]{40}")
# Characters of a file with a key.
MAX_FILE = 10_000
# Characters of a key's id that people see.
ENDING = 4

FORMATS = (
    "the key as AWS provides it: the console's .csv file, the JSON output of `aws iam "
    "create-access-key`, or id and secret on two lines"
)
# Names of the checks of a key's owner. They are stored: do not change them.
RIGHT_ACCOUNT = "right-account"
NOT_ROOT = "key-of-a-user"

# Names of a key's parts in the JSON of the AWS CLI, and in the console's file.
_ID_NAMES = ("AccessKeyId", "Access key ID")
_SECRET_NAMES = ("SecretAccessKey", "Secret access key")


@dataclass(frozen=True)
class AccessKey:
    """The long-term access key of an IAM user."""

    # The access key id, 20 characters that begin with AKIA.
    id: str = field(repr=False)
    # The secret access key, 40 characters.
    secret: str = field(repr=False)

    @property
    def ending(self) -> str:
        """Return the last characters of the key's id, by which people identify it."""
        return self.id[-ENDING:]

    def to_text(self) -> str:
        """Return the key as JSON, in the form that Secrets Manager stores and `read_key` reads."""
        return json.dumps({_ID_NAMES[0]: self.id, _SECRET_NAMES[0]: self.secret})


def read_key(text: str) -> AccessKey:
    """Parse a key in any of `FORMATS`.

    Raises UsageError for any other text; the error repeats nothing of the input.
    """
    if len(text) > MAX_FILE:
        raise _unreadable()
    pair = _json(text) or _csv(text) or _lines(text)
    if pair is None:
        raise _unreadable()
    key = AccessKey(*pair)
    if key.id.startswith("ASIA"):
        raise UsageError(
            "This is the key of a session, which expires within hours.",
            remedy="Provide the long-term key of an IAM user; its id begins with AKIA.",
        )
    if not _ID.fullmatch(key.id) or not _SECRET.fullmatch(key.secret):
        raise _unreadable()
    return key


@dataclass(frozen=True)
class Identity:
    """The caller of AWS, as STS GetCallerIdentity reports it."""

    account_id: str
    # For example arn:aws:iam::111111111111:user/cloudspend.
    arn: str


def require_user_of(identity: Identity, account_id: str) -> None:
    """Raise ConnectionRefused unless the key belongs to an IAM user of this account."""
    if identity.account_id != account_id:
        raise ConnectionRefused(
            f"The key belongs to the account {identity.account_id}, not to {account_id}.",
            remedy="Provide a key that was created in the invited account.",
            check=RIGHT_ACCOUNT,
        )
    if identity.arn.endswith(":root"):
        raise ConnectionRefused(
            "The key is the root user's, which has every permission.",
            remedy="Delete it, create an IAM user for CloudSpend only, and provide its key.",
            check=NOT_ROOT,
        )
    if ":user/" not in identity.arn:
        raise ConnectionRefused(
            f"The key is not an IAM user's: it belongs to {identity.arn}.",
            remedy="Provide the long-term key of an IAM user that exists for CloudSpend alone.",
            check=NOT_ROOT,
        )


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
    # Excel and the AWS console put a byte order mark before the first column.
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
    return UsageError("The input is not an access key.", remedy=f"Provide {FORMATS}.")
