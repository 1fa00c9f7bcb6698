"""Findings in a dictionary."""

from dataclasses import replace

from cloudspend.findings.items import from_finding, to_finding
from cloudspend.findings.model import Finding
from cloudspend.findings.ports import FindingChanged


class FakeFindings:
    """`Findings` that keeps items, so that nothing survives but what an item holds."""

    def __init__(self) -> None:
        self.items: dict[tuple[str, str], dict[str, object]] = {}

    def find(self, account_id: str, finding_id: str) -> Finding | None:
        item = self.items.get((account_id, finding_id))
        return to_finding(item) if item else None

    def of(self, account_id: str) -> list[Finding]:
        return [to_finding(i) for key, i in sorted(self.items.items()) if key[0] == account_id]

    def open(self) -> list[Finding]:
        return [each for each in map(to_finding, self.items.values()) if each.is_open]

    def save(self, finding: Finding) -> Finding:
        held = self.find(finding.account_id, finding.finding_id)
        if finding.revision != (held.revision if held else 0):
            raise FindingChanged("The finding was changed by someone else just now.")
        saved = replace(finding, revision=finding.revision + 1)
        self.items[finding.account_id, finding.finding_id] = from_finding(saved)
        return saved
