"""Explain differences before they count as mismatches."""

from collections.abc import Iterable

from cloudspend.reconcile.cells import Cell, Costs
from cloudspend.reconcile.compare import Comparison, Explanation
from cloudspend.reconcile.evidence import Evidence
from cloudspend.reconcile.rules import RULES, Rule
from cloudspend.reconcile.vocabulary import Vocabulary


def explain(
    comparison: Comparison, evidence: Evidence, words: Vocabulary, rules: Iterable[Rule] = RULES
) -> Comparison:
    """Return the comparison with the explanations of `rules`, in order; each rule sees the rest."""
    explained = comparison
    for rule in rules:
        found = tuple(rule(_remaining(explained), evidence, words))
        explained = explained.explained_by((*explained.explanations, *found))
    return explained


def pending(comparison: Comparison) -> list[Explanation]:
    """Return the explanations that expect a later delivery or refresh, largest first, for cells
    that do not agree without them.
    """
    off = {cell for cell in comparison.cells if not _plainly_agrees(comparison, cell)}
    awaited = [
        each for each in comparison.explanations if each.expected_to_clear and each.cell in off
    ]
    return sorted(awaited, key=lambda each: (-max(map(abs, each.costs)), each.cell))


def _remaining(comparison: Comparison) -> dict[Cell, Costs]:
    """Return the unexplained rest of each cell that differs."""
    left = ((cell, comparison.remaining(cell)) for cell in comparison.cells)
    return {cell: costs for cell, costs in left if not costs.is_zero}


def _plainly_agrees(comparison: Comparison, cell: Cell) -> bool:
    return comparison.explained_by(()).agrees(cell)
