"""One round of Collect: which accounts and sources, and what came of it.

The lists travel as files of the lake, as Sweep's do: they are too long for a state machine's own
state.
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

# Objects under this folder are deleted by a lifecycle rule of the bucket.
COLLECTS = "collects"

State = Mapping[str, Any]


def list_accounts(
    state: State, registry: AccountRegistry, lake: Lake, sources: Mapping[str, Source]
) -> dict[str, Any]:
    """Write down which sources of which accounts this round collects: those that `state` names, or
    every source of every active account. Named ones are asked for even if they are not due.

    Raises UsageError for an account that is not active and a source that does not exist.
    """
    wanted = _wanted(state.get(p.SOURCES) or (), sources)
    named = bool(state.get(p.ACCOUNTS) or state.get(p.SOURCES))
    key = f"{COLLECTS}/{state[p.ROUND][p.COLLECT]}/accounts.json"
    items = [
        {
            p.ACCOUNT_ID: account.account_id,
            p.SOURCES: [
                {p.ACCOUNT_ID: account.account_id, p.SOURCE: source.name, p.ANEW: named}
                for source in wanted
                if source.is_for(account)
            ],
        }
        for account in _accounts(state.get(p.ACCOUNTS) or (), registry)
    ]
    lake.write_json(key, items)
    return {p.COLLECT: state[p.ROUND][p.COLLECT], p.BUCKET: lake.bucket, p.ACCOUNTS_KEY: key}


def report(state: State, lake: Lake, bus: Bus, platform_id: str) -> dict[str, Any]:
    """Write down every outcome and put the round's summary on the bus.

    `whole` is False when a source failed: then the execution is to fail. What a customer does not
    allow, AWS does not have or the cap does not let through is told by its own event.
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
    """Where the outcomes of a round are written down."""
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
    """What each source came to, from the files that the Distributed Map wrote. An account whose
    execution failed as a whole stands for all of its sources."""
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
