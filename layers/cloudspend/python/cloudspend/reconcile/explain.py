"""A difference is explained before it is called a mismatch."""

from collections.abc import Iterable

from cloudspend.reconcile.cells import Cell, Costs
from cloudspend.reconcile.compare import Comparison, Explanation
from cloudspend.reconcile.evidence import Evidence
from cloudspend.reconcile.rules import RULES, Rule
from cloudspend.reconcile.vocabulary import Vocabulary


def explain(
    comparison: Comparison, evidence: Evidence, words: Vocabulary, rules: Iterable[Rule] = RULES
) -> Comparison:
    """The comparison with all that `rules` find, in turn; each sees what the others left."""
    explained = comparison
    for rule in rules:
        found = tuple(rule(_remaining(explained), evidence, words))
        explained = explained.explained_by((*explained.explanations, *found))
    return explained


def pending(comparison: Comparison) -> list[Explanation]:
    """The explanations that a later delivery or refresh is awaited for, the largest first, of cells
    that would not agree without them."""
    off = {cell for cell in comparison.cells if not _plainly_agrees(comparison, cell)}
    awaited = [each for each in comparison.explanations if each.passes and each.cell in off]
    return sorted(awaited, key=lambda each: (-max(map(abs, each.costs)), each.cell))


def _remaining(comparison: Comparison) -> dict[Cell, Costs]:
    """What is left of each cell that differs at all."""
    left = ((cell, comparison.remaining(cell)) for cell in comparison.cells)
    return {cell: costs for cell, costs in left if not costs.is_zero}


def _plainly_agrees(comparison: Comparison, cell: Cell) -> bool:
    return comparison.explained_by(()).agrees(cell)
