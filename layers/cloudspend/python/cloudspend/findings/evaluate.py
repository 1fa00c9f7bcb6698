"""Daily evaluation of accounts: observe, decide, apply, and publish the digest."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from cloudspend import payloads as p
from cloudspend.access.key_age import old_key
from cloudspend.accounts.model import Account, AccountState
from cloudspend.accounts.ports import AccountRegistry
from cloudspend.alerts.catalog.findings import FindingKind
from cloudspend.alerts.event import Bus
from cloudspend.collect.ports import Progress
from cloudspend.errors import Defect, TransientError
from cloudspend.findings.anomaly import Sensitivity
from cloudspend.findings.apply import Outcome, apply_decisions, digest
from cloudspend.findings.collected import CollectedData
from cloudspend.findings.findings_table import FindingsTable
from cloudspend.findings.history import History
from cloudspend.findings.model import Observation
from cloudspend.findings.rules import (
    account_state,
    budgets,
    commitments,
    coverage,
    purchases,
    spend,
)
from cloudspend.findings.rules.account_state import Standing
from cloudspend.lake.ports import Queries, SweptRegistry

BILL_KINDS = frozenset(
    {FindingKind.COST_ANOMALY, FindingKind.FOREIGN_REGION, FindingKind.COMMITMENT_UNUSED}
)

# States whose findings are evaluated. A degraded account has lost some access; the rest continues.
EVALUATED = frozenset({AccountState.ACTIVE, AccountState.DEGRADED})
MOST_NAMED = 20


@dataclass(frozen=True)
class EvaluationPorts:
    """Ports of an evaluation.

    A purchase recommendation is a finding if it saves at least `worth_buying` per month, in
    currency units.
    """

    accounts: AccountRegistry
    registry: SweptRegistry
    queries: Queries
    findings_table: FindingsTable
    bus: Bus
    progress: Progress
    at: Sensitivity
    worth_buying: Decimal


def evaluate_accounts(
    account_ids: Iterable[str],
    evaluation_ports: EvaluationPorts,
    now: datetime,
    on_failure: Callable[[str], None],
) -> dict[str, Any]:
    """Evaluate the ingesting accounts among these; a failure of one account stops no other.

    `on_failure` is called while the exception is active. Raises TransientError at the end if only
    transient faults occurred: a repeat sends no alert twice.
    """
    done, failed = 0, []
    passing: TransientError | None = None
    for account_id in account_ids:
        try:
            account = evaluation_ports.accounts.get(account_id)
            if account.state in EVALUATED:
                evaluate(account, evaluation_ports, now)
                done += 1
        except TransientError as error:
            passing = error
        except Exception:
            on_failure(account_id)
            failed.append(account_id)
    if passing and not failed:
        raise passing
    return {p.EVALUATED: done, p.NOT_EVALUATED: failed}


def report(state: Mapping[str, Any]) -> dict[str, Any]:
    """Return how many accounts were evaluated. Raises Defect when any was not."""
    batches = state[p.BATCHES]
    missing = [account for batch in batches for account in batch[p.NOT_EVALUATED]]
    if missing:
        raise Defect(
            f"{len(missing)} accounts could not be evaluated: {', '.join(missing[:MOST_NAMED])}.",
            remedy="The log of cloudspend-findings-evaluate says why.",
        )
    return {p.EVALUATED: sum(batch[p.EVALUATED] for batch in batches)}


def evaluate(account: Account, evaluation_ports: EvaluationPorts, now: datetime) -> list[Outcome]:
    """Apply the account's current observations, and publish the changes."""
    judged, seen = look(account, evaluation_ports, now)
    outcomes = apply_decisions(
        account, judged, seen, evaluation_ports.findings_table.findings, evaluation_ports.bus, now
    )
    if summary := digest(account, outcomes, now):
        evaluation_ports.bus.put(summary)
    evaluation_ports.findings_table.show(account.account_id)
    return outcomes


def look(
    account: Account, evaluation_ports: EvaluationPorts, now: datetime
) -> tuple[frozenset[FindingKind], list[Observation]]:
    """Return the observations of all rules, and the kinds that were completely evaluated."""
    holdings = evaluation_ports.registry.holdings(account.account_id)
    checks = tuple(evaluation_ports.accounts.checks(account.account_id))
    key = old_key(account, now)
    seen = account_state.observed(Standing(holdings.published, holdings.watch, checks, key))
    judged = account_state.KINDS | {FindingKind.RESTATEMENT}
    collected = CollectedData(
        evaluation_ports.queries,
        account.account_id,
        evaluation_ports.progress.all(account.account_id),
        now,
    )
    if any(each.reconciled_at for each in holdings.published):
        seen += coverage.gaps(collected.gaps())
        judged |= coverage.KINDS
    if (held := collected.budgets()) is not None:
        seen += budgets.reached(held)
        judged |= budgets.KINDS
    if (recommended := collected.recommendations()) is not None:
        seen += purchases.worthwhile(recommended, evaluation_ports.worth_buying)
        judged |= purchases.KINDS
    history = History(evaluation_ports.queries, account.account_id, now.date())
    if holdings.published and (days := history.days()):
        seen += _spending(account, history, days, evaluation_ports.at)
        seen += commitments.unused(history.commitment_use(days[1]))
        judged |= BILL_KINDS
        if account.billing_detail:
            ends = history.commitment_ends(days[1])
            seen += commitments.expiring(ends, now.date())
            judged |= {FindingKind.COMMITMENT_EXPIRING}
    return judged, seen


def _spending(
    account: Account, history: History, days: tuple[Any, Any], at: Sensitivity
) -> list[Observation]:
    first, last = days
    found = spend.anomalies(history.daily(first, last, int(at.money)), first, last, at)
    movers: dict[tuple[str, str], Any] = {}
    for since in sorted({each.since for each in found.values()}):
        explained = history.movers(since, last)
        for key, each in found.items():
            if each.since == since:
                place = (key.sub_account_id, key.service)
                movers[place] = explained.get(place, [])
    return [
        *spend.cost_anomalies(found, movers, at),
        *spend.foreign_regions(history.regions(last), account.regions),
    ]
