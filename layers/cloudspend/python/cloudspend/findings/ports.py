"""What findings need from outside."""

from typing import Protocol

from cloudspend.errors import TransientError
from cloudspend.findings.model import Finding


class FindingChanged(TransientError):
    """Someone else wrote the finding since it was read: read it again and decide again."""


class Findings(Protocol):
    """The findings of the registry."""

    def find(self, account_id: str, finding_id: str) -> Finding | None:
        """Read consistently; None when there is no such finding."""

    def of(self, account_id: str) -> list[Finding]:
        """All of an account, open and resolved, read consistently, in order of their ids."""

    def open(self) -> list[Finding]:
        """The open ones of every account. May lag behind a write by seconds."""

    def save(self, finding: Finding) -> Finding:
        """Write a finding as it was read and then changed; returns it with its new revision.

        Raises FindingChanged when the registry no longer holds the revision that was read.
        """
