"""Move an account from an access key to a role, with a link like an invitation's.

The key stays in use until the role is verified, and is then deleted. Data, periods and history
belong to the account and do not change.
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
    """Create the link that moves an account to a role. It works once within seven days.

    A new link invalidates an earlier one. Raises UsageError for an account that has no key.
    """
    account = registry.get(account_id)
    if account.connection is not ConnectionKind.ACCESS_KEY:
        raise UsageError(
            f"{account.display_name} ({account_id}) is not connected by an access key.",
            remedy=f"See how it is connected: cloudspend accounts show {account_id}.",
        )
    token = secrets.token_urlsafe(TOKEN_BYTES)
    invited = replace(account, token_sha256=token_digest(token), expires_at=now + VALID_FOR)
    # An account with a key already has its bucket and export; a second export would be a second
    # bill.
    there = StackChoices(ExportSetup.USE_EXISTING)
    link = quick_create_link(invited, token, settings, there)
    registry.save(account, invited)
    return Invitation(invited, link)
