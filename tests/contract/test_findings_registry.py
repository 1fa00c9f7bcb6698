"""The findings of the registry: the fake and DynamoDB (moto) do the same."""

from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from cloudspend.findings.aws import DynamoFindings
from cloudspend.findings.decide import first
from cloudspend.findings.ports import FindingChanged, Findings
from tests.fakes.findings import FakeFindings
from tests.unit.findings.findings_world import ANOMALY, NOW, observed

ACCOUNT, OTHER = "111111111111", "222222222222"


@pytest.fixture(params=["fake", "dynamodb"])
def findings(request: pytest.FixtureRequest) -> Iterator[Findings]:
    if request.param == "fake":
        yield FakeFindings()
        return
    text = [("pk", "HASH"), ("sk", "RANGE")]
    with mock_aws():
        table = boto3.resource("dynamodb").create_table(
            TableName="cloudspend",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                {"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk", "kind")
            ],
            KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in text],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "kind",
                    "KeySchema": [
                        {"AttributeName": "kind", "KeyType": "HASH"},
                        {"AttributeName": "pk", "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "ALL"},
                }
            ],
        )
        yield DynamoFindings(table)


def test_a_finding_is_read_as_it_was_written(findings: Findings) -> None:
    muted = first(ACCOUNT, ANOMALY, NOW).muted(NOW, "why")
    saved = findings.save(muted)
    assert findings.find(ACCOUNT, ANOMALY.finding_id) == saved
    assert saved.seen == ANOMALY
    assert findings.find(OTHER, ANOMALY.finding_id) is None


def test_an_account_has_all_and_the_list_the_open_ones(findings: Findings) -> None:
    gone = first(ACCOUNT, observed(subject="gone"), NOW).closed(NOW, by="done")
    findings.save(gone)
    kept = findings.save(first(ACCOUNT, ANOMALY, NOW))
    others = findings.save(first(OTHER, ANOMALY, NOW))
    assert {each.seen.subject for each in findings.of(ACCOUNT)} == {"gone", ANOMALY.subject}
    assert sorted(findings.open(), key=lambda each: each.account_id) == [kept, others]
    findings.save(kept.closed(NOW))
    assert findings.open() == [others]


def test_what_was_changed_meanwhile_is_not_written(findings: Findings) -> None:
    new = first(ACCOUNT, ANOMALY, NOW)
    read = findings.save(new)
    with pytest.raises(FindingChanged):
        findings.save(new)
    findings.save(read.muted(NOW, "a person was quicker"))
    with pytest.raises(FindingChanged):
        findings.save(read.closed(NOW))
