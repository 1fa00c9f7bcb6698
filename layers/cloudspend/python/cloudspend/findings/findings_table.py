"""The table of findings for analysts: one file per account.

The registry decides, and the table follows: a process that saved a finding writes the account's
file again and then compares it with the registry. Of two concurrent writers, the later one sees the
other's finding and writes again.
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
    """The findings and their table."""

    findings: Findings
    tables: TableWriter
    catalog: Catalog
    accounts: AccountRegistry

    def keeps(self, account_id: str) -> bool:
        """Return whether findings of the account are stored.

        Findings of an account that is being offboarded would restore deleted data.
        """
        account = self.accounts.find(account_id)
        return account is not None and account.state not in LEAVING

    def save(self, finding: Finding) -> Finding:
        """Save a finding as `Findings.save` does, and update the table."""
        saved = self.findings.save(finding)
        self.show(finding.account_id)
        return saved

    def show(self, account_id: str) -> None:
        """Update the account's rows of the table. Can be repeated."""
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
