"""What a restatement changed, out of Athena's rows."""

from decimal import Decimal

from cloudspend.ingest.restatement import changes_between, services_between
from tests.fakes.lake import ACCOUNT, NEW, OLD, PERIOD, FakeQueries


def row(service: str, kind: str, *costs: str, account: str = ACCOUNT) -> dict[str, str | None]:
    names = ("billed_before", "billed_after", "effective_before", "effective_after")
    place: dict[str, str | None] = {"account": account, "service": service, "charge_type": kind}
    return place | dict(zip(names, costs, strict=True))


ROWS = FakeQueries(
    row("EC2", "Usage", "10.000000000001", "12.000000000002", "8", "9"),
    row("EC2", "Refund", "0", "-1", "0", "-1"),
    row("EC2", "Tax", "3", "3", "3", "3"),
    row("S3", "Usage", "5", "5", "4", "4.5"),
    row("RDS", "Usage", "7", "7.5", "7", "7.5"),
    row("RDS", "Credit", "0", "-0.5", "0", "-0.5"),
)


def test_changes_are_exact_and_only_changes() -> None:
    found = changes_between(ACCOUNT, PERIOD, OLD, NEW, ROWS)
    assert [(each.service, each.charge_type, each.billed, each.effective) for each in found] == [
        ("EC2", "Usage", Decimal("2.000000000001"), 1),
        ("EC2", "Refund", -1, -1),
        ("S3", "Usage", 0, Decimal("0.5")),
        ("RDS", "Usage", Decimal("0.5"), Decimal("0.5")),
        ("RDS", "Credit", Decimal("-0.5"), Decimal("-0.5")),
    ]


def test_a_service_is_its_whole_cost_before_and_after() -> None:
    """Tax did not change and still belongs to both; what cancels out is no change."""
    assert services_between(ACCOUNT, PERIOD, OLD, NEW, ROWS) == [
        (ACCOUNT, "EC2", Decimal("13.000000000001"), Decimal("14.000000000002"))
    ]


def test_the_statement_names_both_generations() -> None:
    queries = FakeQueries()
    assert changes_between(ACCOUNT, PERIOD, OLD, NEW, queries) == []
    [sql] = queries.statements
    assert f"IN ('{OLD}', '{NEW}')" in sql
