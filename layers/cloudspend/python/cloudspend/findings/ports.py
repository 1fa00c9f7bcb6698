"""Port of the findings room."""

from typing import Protocol

from cloudspend.errors import TransientError
from cloudspend.findings.model import Finding


class FindingChanged(TransientError):
    """Someone else has changed the finding since it was read: read it and decide again."""


class Findings(Protocol):
    """Findings in the registry."""

    def find(self, account_id: str, finding_id: str) -> Finding | None:
        """Read a finding consistently; None when there is none."""

    def of(self, account_id: str) -> list[Finding]:
        """Return all findings of an account, read consistently, in order of their ids."""

    def open(self) -> list[Finding]:
        """Return the open findings of all accounts. May lag behind a write by seconds."""

    def save(self, finding: Finding) -> Finding:
        """Save a finding as it was read and changed, and return it with its new revision.

        Raises FindingChanged when the registry does not have the read revision any more.
        """
