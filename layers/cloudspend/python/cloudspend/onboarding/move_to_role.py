"""Moving an account from an access key to a role: a link as for an invitation, while all goes on.

The key serves until the role is proved; then it is forgotten. Nothing else of the account changes:
its data, periods and history are the account's, not the connection's.
"""

import secrets
from dataclasses import replace
from datetime import datetime

from cloudspend.accounts.invite import TOKEN_BYTES, VALID_FOR, Invitation, token_digest
from cloudspend.accounts.link import StackChoices, quick_create_link
from cloudspend.accounts.model import ConnectionKind, ExportSetup
from cloudspend.accounts.ports import AccountRegistry
from cloudspend.errors import UsageError
from cloudspend.settings import Settings


def move_to_role(
    account_id: str, registry: AccountRegistry, settings: Settings, now: datetime
) -> Invitation:
    """Make the link that moves an account to a role. It works once within 7 days; a new one makes
    it void. Raises UsageError for an account that is not connected by a key."""
    account = registry.get(account_id)
    if account.connection is not ConnectionKind.ACCESS_KEY:
        raise UsageError(
            f"{account.display_name} ({account_id}) is not connected by an access key.",
            remedy=f"See how it is connected: cloudspend accounts show {account_id}.",
        )
    token = secrets.token_urlsafe(TOKEN_BYTES)
    invited = replace(account, token_sha256=token_digest(token), expires_at=now + VALID_FOR)
    # An account with a key has its bucket and export already; a second one would be another bill.
    there = StackChoices(ExportSetup.USE_EXISTING)
    link = quick_create_link(invited, token, settings, there)
    registry.save(account, invited)
    return Invitation(invited, link)
