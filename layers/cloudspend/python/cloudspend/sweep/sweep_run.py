"""A run of Sweep over all accounts: its list of accounts and its report.

The lists exceed the state machine's payload (256 KB, AWS Step Functions developer guide, "Step
Functions service quotas"), so they are files of the lake.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from cloudspend import payloads as p
from cloudspend.accounts.ports import AccountRegistry
from cloudspend.alerts.catalog import event
from cloudspend.alerts.catalog.sweep import SWEEP_COUNTS, SweepCompleted
from cloudspend.alerts.event import Bus, EventAccount
from cloudspend.errors import Defect, TransientError, names
from cloudspend.ingest.map_results import FAILED, SUCCEEDED, children, children_that
from cloudspend.lake.ports import Lake

# A lifecycle rule of the bucket deletes objects in this folder.
SWEEPS = "sweeps"
# Accounts that were not swept and that the result names; the result files contain all.
MOST_NAMED = 50
MAX_REASON = 200

State = Mapping[str, Any]


def list_accounts(state: State, registry: AccountRegistry, lake: Lake) -> dict[str, Any]:
    """Write the list of accounts for this run: the active ones."""
    key = f"{SWEEPS}/{state[p.SWEEP]}/accounts.json"
    active = [account.account_id for account in registry.list() if account.is_ingesting]
    lake.write_json(key, active)
    return {**state, p.BUCKET: lake.bucket, p.ACCOUNTS_KEY: key}


def report(state: State, lake: Lake, bus: Bus, platform_id: str) -> dict[str, Any]:
    """Publish the run's summary, and write the list of periods to compare.

    `whole` is False when an account was not swept for another reason than a transient fault, or
    when a whole batch failed; the execution then fails.
    """
    counts = dict.fromkeys(SWEEP_COUNTS, 0)
    compare: list[Mapping[str, str]] = []
    not_swept: list[Mapping[str, str]] = []
    for batch in _batches(state, lake):
        for name, number in batch[p.COUNTS].items():
            counts[name] += number
        compare += batch[p.COMPARE]
        not_swept += batch[p.NOT_SWEPT]
    key = f"{SWEEPS}/{state[p.SWEEP]}/compare.json"
    lake.write_json(key, compare)
    bus.put(
        event(
            SweepCompleted(
                sweep=state[p.SWEEP],
                not_swept=tuple(f"{one[p.ACCOUNT_ID]}: {one['reason']}" for one in not_swept),
                **counts,
            ),
            EventAccount.platform(platform_id),
            state[p.SWEEP],
        )
    )
    passing = names(TransientError)
    return {
        p.SWEEP: state[p.SWEEP],
        p.BUCKET: lake.bucket,
        p.COUNTS: counts,
        p.COMPARE_KEY: key,
        p.COMPARISONS: len(compare),
        p.NOT_SWEPT: not_swept[:MOST_NAMED],
        p.WHOLE: all(one["error"] in passing for one in not_swept),
    }


def compared(state: State, lake: Lake) -> dict[str, Any]:
    """Report that the run's comparisons are done. Raises Defect when some failed because of a
    defect.

    Failures of AWS or of a customer are published as events and do not fail the execution.
    """
    failed = [json.loads(child["Input"]) for child in children_that(FAILED, state, lake)]
    if failed:
        named = ", ".join(f"{one[p.ACCOUNT_ID]} {one[p.PERIOD]}" for one in failed[:MOST_NAMED])
        raise Defect(
            f"{len(failed)} months could not be compared with Cost Explorer: {named}.",
            remedy="The event ReconciliationUnavailable and the log of cloudspend-reconcile say "
            "why.",
        )
    return dict(state)


def _batches(state: State, lake: Lake) -> Iterator[Mapping[str, Any]]:
    """Yield the result of each batch from the Distributed Map's files. A failed batch fails its
    accounts.
    """
    for outcome, child in children(state, lake):
        yield json.loads(child["Output"]) if outcome == SUCCEEDED else _failed(child)


def _failed(child: Mapping[str, Any]) -> dict[str, Any]:
    reason = f"{child.get('Error', '')} {child.get('Cause', '')}".strip()[:MAX_REASON]
    accounts = json.loads(child["Input"])["Items"]
    return {
        p.COUNTS: {},
        p.COMPARE: [],
        p.NOT_SWEPT: [
            {p.ACCOUNT_ID: account_id, "error": child.get("Error", ""), "reason": reason}
            for account_id in accounts
        ],
    }
