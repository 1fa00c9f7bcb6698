"""Measure the rows of a generation, and find doubtful changes against the previous one.

Every generation's measures are saved; a doubt is a sentence for a person. Unknown charge types and
columns are measured here and reported at conversion.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from cloudspend.convert.focus.rules import KNOWN_CHARGE_TYPES
from cloudspend.convert.focus.schema import COLUMNS
from cloudspend.ingest.decisions import restates
from cloudspend.lake.model import PublishedPeriod
from cloudspend.lake.ports import Queries
from cloudspend.lake.statements import statement
from cloudspend.reconcile.cells import ZERO
from cloudspend.reconcile.compare import CELL_SHARE, CENT

NEVER_NULL = tuple(column.name for column in COLUMNS if not column.nullable)
# Of usage rows: smaller decreases of resource ids or tags are ordinary.
SHARE_FALLS_BY = Decimal("0.1")


@dataclass(frozen=True)
class Quality:
    """Counts of a generation.

    `corrections` are credits and refunds together, in currency units; `nulls` are the columns with
    forbidden nulls and their number.
    """

    generation: str
    rows: int
    billed_cost: Decimal
    corrections: Decimal
    correction_rows: int
    negative_usage_rows: int
    usage_rows: int
    usage_rows_without_resource: int
    usage_rows_with_tags: int
    charge_types: tuple[str, ...]
    currencies: tuple[str, ...]
    unknown_columns: tuple[str, ...]
    nulls: Mapping[str, int]

    @property
    def unknown_charge_types(self) -> tuple[str, ...]:
        return tuple(name for name in self.charge_types if name not in KNOWN_CHARGE_TYPES)

    @property
    def tag_coverage(self) -> Decimal | None:
        """Return the share of usage rows with a tag; None without usage."""
        return _share(self.usage_rows_with_tags, self.usage_rows)

    @property
    def resource_coverage(self) -> Decimal | None:
        """Return the share of usage rows with a resource id; None without usage."""
        return _share(self.usage_rows - self.usage_rows_without_resource, self.usage_rows)


@dataclass(frozen=True)
class QualityReport:
    """A published generation compared with the previous one, if any.

    `losses` of a closed bill are doubtful until Cost Explorer shows the same.
    """

    quality: Quality
    before: Quality | None
    doubts: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()

    def doubtful(self, *, certified: bool) -> tuple[str, ...]:
        """Return the doubts for a person, given the comparison with Cost Explorer."""
        return self.doubts if certified else (*self.doubts, *self.losses)


def measure_quality(published: PublishedPeriod, queries: Queries) -> QualityReport | None:
    """Measure the generation that readers see and the previous one. None for a generation without
    rows.
    """
    before = published.previous_generation
    sql = statement(
        "data_quality",
        package="cloudspend.reconcile.sql",
        account_id=published.account_id,
        period=str(published.period),
        generation=published.generation,
        previous_generation=before or published.generation,
    )
    found = {quality.generation: quality for quality in map(_quality, queries.run(sql))}
    if published.generation not in found:
        return None
    quality, earlier = found[published.generation], found.get(before or "")
    closed = before is not None and restates(before, published.period)
    return QualityReport(
        quality,
        earlier,
        tuple(doubts(quality, earlier)),
        tuple(losses(quality, earlier)) if earlier and closed else (),
    )


def doubts(quality: Quality, before: Quality | None) -> Iterator[str]:
    """Yield doubts that are independent of the bill's total."""
    for column, rows in quality.nulls.items():
        yield f"{rows} rows have no {column}, which FOCUS does not allow."
    if quality.negative_usage_rows:
        yield f"{quality.negative_usage_rows} rows have a negative usage."
    if len(quality.currencies) > 1:
        yield f"The rows are in {len(quality.currencies)} currencies: {_all(quality.currencies)}."
    if before is None:
        return
    if quality.currencies != before.currencies:
        yield f"The currency was {_all(before.currencies)} and is {_all(quality.currencies)}."
    yield from _falls(quality, before)


def _falls(quality: Quality, before: Quality) -> Iterator[str]:
    for what, was, now in (
        ("bear a tag", before.tag_coverage, quality.tag_coverage),
        ("name their resource", before.resource_coverage, quality.resource_coverage),
    ):
        if was is not None and now is not None and was - now > SHARE_FALLS_BY:
            yield f"{now:.0%} of the usage rows {what}; before it were {was:.0%}."


def losses(quality: Quality, before: Quality) -> Iterator[str]:
    """Yield losses of a complete bill.

    It loses no rows, and its cost falls by AWS's corrections; a larger decrease has no reason in
    the bill.
    """
    if quality.rows < before.rows:
        yield (
            f"The closed bill has {before.rows - quality.rows} rows fewer than before "
            f"({quality.rows} of {before.rows})."
        )
    taken_back = max(before.corrections - quality.corrections, ZERO)
    fall = before.billed_cost - quality.billed_cost - taken_back
    if fall > max(CENT, CELL_SHARE * abs(before.billed_cost)):
        yield (
            f"The closed bill fell from {before.billed_cost:.2f} to {quality.billed_cost:.2f}; "
            f"credits and refunds account for {taken_back:.2f} of it, nothing for {fall:.2f}."
        )


def _quality(row: Mapping[str, str | None]) -> Quality:
    return Quality(
        generation=row["generation"] or "",
        rows=_count(row, "row_count"),
        billed_cost=Decimal(row["billed_cost"] or 0),
        corrections=Decimal(row["corrections"] or 0),
        correction_rows=_count(row, "correction_rows"),
        negative_usage_rows=_count(row, "negative_usage_rows"),
        usage_rows=_count(row, "usage_rows"),
        usage_rows_without_resource=_count(row, "usage_rows_without_resource"),
        usage_rows_with_tags=_count(row, "usage_rows_with_tags"),
        charge_types=_names(row, "charge_types"),
        currencies=_names(row, "currencies"),
        unknown_columns=_names(row, "unknown_columns"),
        nulls={name: n for name in NEVER_NULL if (n := _count(row, f"null_{name}"))},
    )


def _count(row: Mapping[str, str | None], name: str) -> int:
    return int(Decimal(row[name] or 0))


def _names(row: Mapping[str, str | None], name: str) -> tuple[str, ...]:
    return tuple((row[name] or "").split(", ")) if row[name] else ()


def _share(part: int, whole: int) -> Decimal | None:
    return Decimal(part) / whole if whole else None


def _all(names: tuple[str, ...]) -> str:
    return " and ".join(names) or "none"
