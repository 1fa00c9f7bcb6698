"""Showing an account's findings to analysts: a file that holds all of them.

The registry decides, the table follows: whoever wrote a finding writes the account's file anew and
then looks whether the registry still holds what was written. Of two who write at the same time, the
one who wrote last sees the other's finding and writes again.
"""

from dataclasses import dataclass

from cloudspend.accounts.model import LEAVING
from cloudspend.accounts.ports import AccountRegistry
from cloudspend.findings.model import Finding
from cloudspend.findings.ports import Findings
from cloudspend.findings.tables import FINDINGS, prefix, row
from cloudspend.lake.ports import Catalog
from cloudspend.reconcile.ports import TableWriter


@dataclass(frozen=True)
class FindingsTable:
    """The findings, and where analysts find them."""

    findings: Findings
    tables: TableWriter
    catalog: Catalog
    accounts: AccountRegistry

    def keeps(self, account_id: str) -> bool:
        """Whether findings of the account are kept. What is heard of one that leaves, or has left,
        would bring back what its offboarding deletes."""
        account = self.accounts.find(account_id)
        return account is not None and account.state not in LEAVING

    def save(self, finding: Finding) -> Finding:
        """Write a finding as `Findings.save` does, and show it."""
        saved = self.findings.save(finding)
        self.show(finding.account_id)
        return saved

    def show(self, account_id: str) -> None:
        """Bring the account's rows of the table in line with its findings. May be repeated."""
        shown: list[Finding] = []
        while (found := self.findings.of(account_id)) != shown:
            self.tables.write(FINDINGS, prefix(account_id), map(row, found))
            self._point(account_id)
            shown = found

    def _point(self, account_id: str) -> None:
        values = (account_id,)
        location = f"s3://{self.tables.bucket}/{prefix(account_id)}"
        if self.catalog.location(FINDINGS.name, values) != location:
            self.catalog.point(FINDINGS.name, values, location)
