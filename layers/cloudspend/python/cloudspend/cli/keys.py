"""`cloudspend accounts connect-key|rotate-key|key-policy|move-to-role`: accounts with access
keys.
"""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from cloudspend import wiring
from cloudspend.access.connect_key import AcceptedKey, connect_key, decrypted_with, rotate_key
from cloudspend.access.keys import MAX_FILE, AccessKey, read_key
from cloudspend.access.user_policy import user_policy
from cloudspend.accounts.model import ChangeCause, Check, CheckStatus
from cloudspend.cli.options import AccountId, OutputOption
from cloudspend.cli.output import Output, progress, show, show_one, show_whole
from cloudspend.errors import UsageError
from cloudspend.onboarding.move_to_role import move_to_role

STDIN = "-"
CHECKS = ("check", "status", "reason", "remedy")

KeyFile = Annotated[
    str,
    typer.Option(
        "--from-file",
        metavar="FILE",
        help="A file with the key as AWS hands it out, or - for standard input. A key is taken "
        "from nowhere else: arguments and environments are kept in histories.",
    ),
]


KmsKey = Annotated[
    str,
    typer.Option(
        metavar="ARN", help="The customer's KMS key that the bill is encrypted with, if any."
    ),
]


def connect(
    account_id: AccountId,
    from_file: KeyFile,
    kms_key: KmsKey = "",
    output: OutputOption = Output.TABLE,
) -> None:
    """Connect an account by the access key of one of its IAM users.

    For customers who cannot create roles; a role is safer. The key is verified at once, stored in
    Secrets Manager, and only used for sessions that are limited to CloudSpend's needs.
    """
    key = _read(from_file)
    operator = wiring.operator()
    act = ChangeCause(operator.caller, datetime.now(UTC))
    accepted = connect_key(account_id, key, operator.keys, operator.onboarding, act, kms_key)
    _show(accepted, output)


def rotate(account_id: AccountId, from_file: KeyFile, output: OutputOption = Output.TABLE) -> None:
    """Replace an account's access key with a new one.

    The new key is tried with everything that CloudSpend does before it is stored; running work
    continues. Delete the old key in IAM an hour later.
    """
    key = _read(from_file)
    accepted = rotate_key(account_id, key, wiring.operator().keys, datetime.now(UTC))
    _show(accepted, output)


def key_policy(account_id: AccountId, kms_key: KmsKey = "") -> None:
    """Print the policy for the IAM user whose key connects an account."""
    operator = wiring.operator()
    account = decrypted_with(operator.accounts.get(account_id), kms_key)
    policy = user_policy(account, operator.settings.partition)
    show_whole(json.dumps(policy, indent=2))


def move(account_id: AccountId, output: OutputOption = Output.TABLE) -> None:
    """Print the link that moves an account from its access key to a role.

    The key stays in use until the role is verified, and is then deleted. Data, periods and history
    stay.
    """
    operator = wiring.operator()
    invitation = move_to_role(account_id, operator.accounts, operator.settings, datetime.now(UTC))
    if output is not Output.TABLE:
        facts = {
            "account_id": account_id,
            "link_expires": invitation.account.expires_at.isoformat(),
        }
        show_one(facts | {"link": invitation.link}, output)
        return
    progress("Send this link to someone who may create IAM roles in the account:")
    show_whole(invitation.link)


def _read(source: str) -> AccessKey:
    """Read a key. Errors repeat nothing of the input, which may be the key."""
    if source == STDIN:
        return read_key(sys.stdin.read(MAX_FILE + 1))
    try:
        with Path(source).open(encoding="utf-8") as file:
            return read_key(file.read(MAX_FILE + 1))
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise UsageError(
            f"The file given with --from-file cannot be read ({type(error).__name__}).",
            remedy="Give the path of a file with the key, or - to read it from standard input; "
            "never the key itself.",
        ) from None


def _show(accepted: AcceptedKey, output: Output) -> None:
    account, checks = accepted.account, [_row(check) for check in accepted.checks]
    for check in accepted.checks:
        if check.status is CheckStatus.WARNING:
            progress(f"Warning: {check.reason} {check.remedy}")
    facts = {
        "account_id": account.account_id,
        "state": str(account.state),
        "connection": str(account.connection),
        "key_ending": account.key.ending if account.key else None,
        "key_of": account.key.user_arn if account.key else None,
    }
    if output is Output.JSON:
        show_one(facts | {"checks": checks}, output)
        return
    if output is Output.TABLE:
        show_one(facts, output)
    show(checks, CHECKS, output, "")


def _row(check: Check) -> dict[str, str]:
    return {
        "check": check.name,
        "status": str(check.status),
        "reason": check.reason,
        "remedy": check.remedy,
    }
