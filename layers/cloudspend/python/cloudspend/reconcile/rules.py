"""Rules that explain differences, one small function each.

A rule gets the unexplained rest of the cells beyond tolerance (lake minus Cost Explorer) and the
evidence. It yields what its evidence covers, and nothing without evidence: a fault of the platform
never has the evidence of another reason.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal

from cloudspend.reconcile.cells import NOTHING, Cell, Costs, total
from cloudspend.reconcile.compare import CENT, Explanation
from cloudspend.reconcile.evidence import DELIVERED_WITHIN, Evidence
from cloudspend.reconcile.vocabulary import UNMAPPED, Vocabulary

Remaining = Mapping[Cell, Costs]
Rule = Callable[[Remaining, Evidence, Vocabulary], Iterable[Explanation]]

LATE_CORRECTIONS = frozenset({"Credit", "Refund"})
FEES = frozenset({"Fee", "RIFee", "SavingsPlanUpfrontFee", "SavingsPlanRecurringFee"})
SUPPORT = "AWS Support"
TAX = "Tax"
DISCOUNT = "Discount"
ROUNDING = "rounding"
# A line is rounded to ten decimals in the export, a group of lines in Cost Explorer.
ROUNDED = Decimal("0.5E-10")


def rounding(remaining: Remaining, evidence: Evidence, _: Vocabulary) -> Iterator[Explanation]:
    """Explain at most the rounding of each row of the cell and of Cost Explorer's sum."""
    for cell, costs in remaining.items():
        rows = evidence.rows.get(cell, 0)
        limit = ROUNDED * (rows + 1)
        if rows and not costs.is_zero and all(abs(each) <= limit for each in costs):
            yield Explanation(
                ROUNDING, cell, costs, f"{rows} rows and their sum are rounded apart.", False
            )


def last_days(remaining: Remaining, evidence: Evidence, _: Vocabulary) -> Iterator[Explanation]:
    """Explain differences on the days that AWS was still counting; earlier differences remain.

    If one side has no charge on those days, it lags; otherwise both sides estimate.
    """
    days = evidence.last_days
    if not evidence.open or days is None:
        return
    rule, because = _lag(days.lake, days.cost_explorer, f"{days.since:%Y-%m-%d}")
    for cell in remaining:
        lake, cost_explorer = days.lake.get(cell, NOTHING), days.cost_explorer.get(cell, NOTHING)
        difference = lake.minus(cost_explorer)
        if not difference.is_zero:
            yield Explanation(rule, cell, difference, because, expected_to_clear=True)


def late_corrections(
    remaining: Remaining, evidence: Evidence, _: Vocabulary
) -> Iterator[Explanation]:
    """Explain credits and refunds that AWS booked after it made the delivery."""
    return _moved(
        remaining,
        evidence,
        lambda cell: cell.charge_type in LATE_CORRECTIONS,
        "late correction",
        "AWS booked it after the delivery",
    )


def late_tax_and_support(
    remaining: Remaining, evidence: Evidence, _: Vocabulary
) -> Iterator[Explanation]:
    """Explain taxes and support fees, which AWS computes after the month's other charges."""
    return _moved(
        remaining,
        evidence,
        _is_tax_or_support,
        "late tax or support",
        "AWS computes it after the other charges, and did so after the delivery",
    )


def restated(remaining: Remaining, evidence: Evidence, _: Vocabulary) -> Iterator[Explanation]:
    """Explain any other charge that AWS changed after it made the delivery."""
    return _moved(
        remaining,
        evidence,
        lambda cell: not _is_tax_or_support(cell) and cell.charge_type not in LATE_CORRECTIONS,
        "restated by AWS",
        "AWS changed it after the delivery",
    )


def fees_on_other_dates(
    remaining: Remaining, evidence: Evidence, _: Vocabulary
) -> Iterator[Explanation]:
    """Explain fees that one side assigns by bill and the other by date.

    The charges with such dates must equal the difference to the cent.
    """
    for cell, costs in remaining.items():
        if cell.charge_type not in FEES:
            continue
        here = evidence.outside.get(cell, NOTHING)
        there = NOTHING.minus(evidence.elsewhere.get(cell, NOTHING))
        for dated in (here, there, here.plus(there)):
            if not dated.is_zero and _same(dated, costs):
                because = "Its fees bear dates of another month, where Cost Explorer shows them."
                yield Explanation(
                    "fee on another date", cell, dated, because, expected_to_clear=False
                )
                break


def split_service(
    remaining: Remaining, evidence: Evidence, words: Vocabulary
) -> Iterator[Explanation]:
    """Explain an unassigned usage family of EC2 that Cost Explorer shows under its other service
    name.

    Families that the vocabulary assigns are never explained: there, both sides must agree.
    """
    for cell, costs in remaining.items():
        other = cell._replace(service=words.split.counterpart(cell.service))
        if other == cell or not _same(remaining.get(other, NOTHING), NOTHING.minus(costs)):
            continue
        moved = _unassigned(cell, evidence, words) | _unassigned(other, evidence, words)
        names = _amounting_to(moved, costs)
        if names:
            because = (
                f"Cost Explorer shows the usage {', '.join(names)} under the other of EC2's two "
                "services."
            )
            yield Explanation("EC2's two services", cell, costs, because, expected_to_clear=False)


def renamed_discount(
    remaining: Remaining, evidence: Evidence, _: Vocabulary
) -> Iterator[Explanation]:
    """Explain a discount with different names: same account, same service, names that the other
    side does not have, and a sum of zero.
    """
    groups: dict[tuple[str, str], list[Cell]] = {}
    for cell in remaining:
        if cell in evidence.one_sided and _is_discount(cell, evidence):
            groups.setdefault((cell.account_id, cell.service), []).append(cell)
    for cells in groups.values():
        if len(cells) > 1 and _same(total(remaining[cell] for cell in cells), NOTHING):
            names = " and ".join(sorted(cell.charge_type for cell in cells))
            because = f"The two sides call one discount by the names {names}."
            for cell in cells:
                yield Explanation("discount by another name", cell, remaining[cell], because, False)


def not_in_export(
    remaining: Remaining, evidence: Evidence, words: Vocabulary
) -> Iterator[Explanation]:
    """Explain a service that AWS documents as missing from exports, if the lake has no row of
    it.
    """
    for cell, costs in remaining.items():
        if cell.service in words.not_in_exports and cell.service in evidence.missing:
            because = f"AWS does not write {cell.service} into exports."
            yield Explanation("not in the export", cell, costs, because, expected_to_clear=False)


# In this order; each rule gets the rest of the ones before it.
RULES: tuple[Rule, ...] = (
    rounding,
    last_days,
    fees_on_other_dates,
    late_corrections,
    late_tax_and_support,
    restated,
    split_service,
    renamed_discount,
    not_in_export,
)


def _lag(lake: Remaining, cost_explorer: Remaining, since: str) -> tuple[str, str]:
    if not lake and cost_explorer:
        return "delivery lags", f"The delivery holds nothing from {since} on, Cost Explorer does."
    if lake and not cost_explorer:
        return "Cost Explorer lags", f"Cost Explorer has nothing from {since} on yet."
    return "estimate", f"AWS was still counting the days from {since} on."


def _moved(
    remaining: Remaining,
    evidence: Evidence,
    concerns: Callable[[Cell], bool],
    rule: str,
    because: str,
) -> Iterator[Explanation]:
    """Explain cells that agreed after this delivery, that the lake has not changed since, and that
    Cost Explorer has.

    Only while the delivery with the change can still be expected and is not known.
    """
    if not evidence.is_newest:
        return
    for cell, costs in remaining.items():
        agreed = evidence.agreed.get(cell)
        if agreed is None or not concerns(cell) or agreed.at < evidence.delivered_at:
            continue
        if evidence.now - agreed.differs_since <= DELIVERED_WITHIN:
            until = f"until {agreed.at:%Y-%m-%d %H:%M} both sides said the same."
            yield Explanation(rule, cell, costs, f"{because}: {until}", expected_to_clear=True)


def _is_tax_or_support(cell: Cell) -> bool:
    return cell.charge_type == TAX or cell.service.startswith(SUPPORT)


def _is_discount(cell: Cell, evidence: Evidence) -> bool:
    if cell.charge_type == UNMAPPED:
        return bool(evidence.unmapped) and all(DISCOUNT in name for name in evidence.unmapped)
    return DISCOUNT in cell.charge_type


def _unassigned(cell: Cell, evidence: Evidence, words: Vocabulary) -> dict[str, Costs]:
    return {
        family: costs
        for (held, family), costs in evidence.families.items()
        if held == cell and not words.split.assigns(family)
    }


def _amounting_to(families: Mapping[str, Costs], costs: Costs) -> list[str]:
    """Return one family whose cost equals the moved amount, or all of them together."""
    wanted = (costs, NOTHING.minus(costs))
    for name, each in sorted(families.items()):
        if any(_same(each, amount) for amount in wanted):
            return [name]
    if families and any(_same(total(families.values()), amount) for amount in wanted):
        return sorted(families)
    return []


def _same(one: Costs, other: Costs) -> bool:
    return all(abs(each) <= CENT for each in one.minus(other))
