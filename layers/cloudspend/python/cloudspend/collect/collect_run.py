"""A run of Collect: its list of accounts and sources, and its report.

Like Sweep's, the lists are files of the lake, because they exceed the state machine's payload.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from cloudspend import payloads as p
from cloudspend.accounts.model import Account, AccountState
from cloudspend.accounts.ports import AccountRegistry
from cloudspend.alerts.catalog import event
from cloudspend.alerts.catalog.collect import CollectCompleted
from cloudspend.alerts.event import Bus, EventAccount
from cloudspend.collect.model import Status
from cloudspend.collect.source import Source
from cloudspend.errors import UsageError
from cloudspend.ingest.map_results import SUCCEEDED, children
from cloudspend.lake.ports import Lake

# A lifecycle rule of the bucket deletes objects in this folder.
COLLECTS = "collects"

State = Mapping[str, Any]


def list_accounts(
    state: State, registry: AccountRegistry, lake: Lake, sources: Mapping[str, Source]
) -> dict[str, Any]:
    """Write the list for this run: the sources and accounts that `state` names, or all of them.

    Named sources are collected even if they are not due. Raises UsageError for an account that is
    not active and for an unknown source.
    """
    wanted = _wanted(state.get(p.SOURCES) or (), sources)
    named = bool(state.get(p.ACCOUNTS) or state.get(p.SOURCES))
    key = f"{COLLECTS}/{state[p.ROUND][p.COLLECT]}/accounts.json"
    items = [
        {
            p.ACCOUNT_ID: account.account_id,
            p.SOURCES: [
                {p.ACCOUNT_ID: account.account_id, p.SOURCE: source.name, p.FORCE: named}
                for source in wanted
                if source.is_for(account)
            ],
        }
        for account in _accounts(state.get(p.ACCOUNTS) or (), registry)
    ]
    lake.write_json(key, items)
    return {p.COLLECT: state[p.ROUND][p.COLLECT], p.BUCKET: lake.bucket, p.ACCOUNTS_KEY: key}


def report(state: State, lake: Lake, bus: Bus, platform_id: str) -> dict[str, Any]:
    """Save every outcome and publish the run's summary.

    `whole` is False when a source failed; the execution then fails. Denied, unavailable and capped
    sources have events of their own.
    """
    outcomes = list(_outcomes(state, lake))
    key = outcomes_key(state[p.COLLECT])
    lake.write_json(key, outcomes)
    counts = Counter(one[p.STATUS] for one in outcomes)
    cost = sum((Decimal(one[p.COST]) for one in outcomes), Decimal())
    summary = {
        "accounts": len({one[p.ACCOUNT_ID] for one in outcomes}),
        **{status.value: counts[status.value] for status in Status},
        "pages": sum(one[p.PAGES] for one in outcomes),
    }
    bus.put(
        event(
            CollectCompleted(collect=state[p.COLLECT], cost=cost, **summary),
            EventAccount.platform(platform_id),
            state[p.COLLECT],
        )
    )
    return {
        p.COLLECT: state[p.COLLECT],
        p.BUCKET: lake.bucket,
        p.OUTCOMES_KEY: key,
        p.COUNTS: summary,
        p.WHOLE: not counts[Status.FAILED.value],
    }


def outcomes_key(collect: str) -> str:
    """Return the key of a run's outcomes."""
    return f"{COLLECTS}/{collect}/outcomes.json"


def _wanted(names: Sequence[str], sources: Mapping[str, Source]) -> list[Source]:
    unknown = [name for name in names if name not in sources]
    if unknown:
        raise UsageError(
            f"There is no source {', '.join(unknown)}.",
            remedy=f"Choose from: {', '.join(sources)}.",
        )
    return [source for name, source in sources.items() if not names or name in names]


def _accounts(ids: Sequence[str], registry: AccountRegistry) -> list[Account]:
    if not ids:
        return [each for each in registry.list() if each.state is AccountState.ACTIVE]
    found = [registry.get(account_id) for account_id in ids]
    for account in found:
        if account.state is not AccountState.ACTIVE:
            raise UsageError(
                f"The account {account.account_id} is {account.state}, so that nothing can be "
                "collected from it.",
                remedy=f"See why: cloudspend accounts show {account.account_id}.",
            )
    return found


def _outcomes(state: State, lake: Lake) -> Iterator[dict[str, Any]]:
    """Yield the outcome of each source from the Distributed Map's files. A failed account fails its
    sources.
    """
    for outcome, child in children(state, lake):
        if outcome == SUCCEEDED:
            yield from json.loads(child["Output"])
        else:
            yield from _failed(child)


def _failed(child: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    reason = f"{child.get('Error', '')} {child.get('Cause', '')}".strip()
    for one in json.loads(child["Input"])[p.SOURCES]:
        yield {
            p.ACCOUNT_ID: one[p.ACCOUNT_ID],
            p.SOURCE: one[p.SOURCE],
            p.STATUS: Status.FAILED.value,
            p.REASON: reason,
            p.ROWS: 0,
            p.PAGES: 0,
            p.COST: "0",
        }
