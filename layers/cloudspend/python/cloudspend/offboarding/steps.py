"""Steps of the Offboard state machine. Each step can be repeated.

First, executions for the account end; then the platform's access; then what readers see; then the
data; at last the registry items. A listing of everything is the proof.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any

from cloudspend import payloads as p
from cloudspend.accounts.lifecycle import publish_state_change, transition, transitioned
from cloudspend.accounts.model import Account, AccountState, ChangeCause
from cloudspend.accounts.ports import AccountRegistry
from cloudspend.alerts.catalog import event
from cloudspend.alerts.catalog.accounts import AccountRemoved
from cloudspend.alerts.event import Bus, EventAccount
from cloudspend.errors import UsageError
from cloudspend.offboarding.model import MAX_NAMED, Data, Found, Report, instruction, to_json
from cloudspend.offboarding.ports import Holding, Reports
from cloudspend.settings import OFFBOARD_MACHINE

State = Mapping[str, Any]

# Data that a kept account loses: access then requires a new invitation.
WITHOUT_A_WAY_IN: Mapping[str, Any] = {"role_arn": None, "token_sha256": None, "key": None}


@dataclass(frozen=True)
class HeldData:
    """All data that the platform can hold of an account.

    `runs` are its running executions, `keys` the secrets with its access key, `data` its partitions
    and objects in order of removal, `entries` its registry items.
    """

    runs: Holding
    keys: Holding
    data: Sequence[Holding]
    entries: Holding

    def to_go(self, data: Data) -> list[Holding]:
        """Return the data to remove before the registry items."""
        return [self.keys, *(self.data if data is Data.DELETE else ())]


@dataclass(frozen=True)
class OffboardPorts:
    """Ports of the steps."""

    registry: AccountRegistry
    bus: Bus
    estate: HeldData
    reports: Reports


def stop(state: State, way: OffboardPorts) -> dict[str, Any]:
    """Stop the account's executions and start the report.

    Raises UsageError for an account that is not being offboarded.
    """
    account_id = state[p.ACCOUNT_ID]
    account = way.registry.get(account_id)
    if account.state is not AccountState.OFFBOARDING:
        raise UsageError(f"{account.display_name} ({account_id}) is {account.state}.")
    way.estate.runs.remove(account_id)
    report = Report.begin(account, Data(state[p.DATA]), way.registry.history(account_id))
    _write(state, report, way)
    return dict(state)


def clear(state: State, way: OffboardPorts, in_time: Callable[[], bool]) -> dict[str, Any]:
    """Remove the data until all of it is gone or time is up; `done` shows which."""
    report = _read(state, way)
    removed = dict(report.removed)
    done = True
    for holding in way.estate.to_go(report.data):
        while done and (gone := holding.remove(state[p.ACCOUNT_ID])):
            removed[holding.kind] = removed.get(holding.kind, 0) + gone
            done = in_time()
    _write(state, replace(report, removed=removed), way)
    return {**state, p.DONE: done}


def prove(state: State, way: OffboardPorts, now: datetime) -> dict[str, Any]:
    """List everything again; if nothing is left, close the account and publish the result.

    `done` is False while something is left, because a stopped execution wrote once more.
    """
    report = _read(state, way)
    if not report.is_clean:
        found = _remaining(way.estate.to_go(report.data), state[p.ACCOUNT_ID])
        report = replace(report, remaining=found)
        if any(each.count for each in found.values()):
            _write(state, report, way)
            return {**state, p.DONE: False}
        report = _closed(state, report, way, now)
        _write(state, report, way)
    _tell(state, report, way)
    return {**state, p.DONE: True}


def _closed(state: State, report: Report, way: OffboardPorts, now: datetime) -> Report:
    """End the account: with a last history entry, or without any registry item."""
    account_id = state[p.ACCOUNT_ID]
    account = way.registry.find(account_id)
    act = ChangeCause(OFFBOARD_MACHINE, now, _what(report.data))
    if report.data is Data.KEEP:
        if account is not None:
            after = transition(
                *(way.registry, way.bus, account, AccountState.REMOVED, act),
                **WITHOUT_A_WAY_IN,
            )
            report = _with_step(report, after)
        return replace(report, finished_at=now)
    if account is not None:
        last = transitioned(account, AccountState.REMOVED, act)
        report = _with_step(report, last)
        _write(state, report, way)
        publish_state_change(last, way.bus)
    removed = dict(report.removed)
    entries = way.estate.entries
    while gone := entries.remove(account_id):
        removed[entries.kind] = removed.get(entries.kind, 0) + gone
    remaining = {**report.remaining, **_remaining([entries], account_id)}
    return replace(report, removed=removed, remaining=remaining, finished_at=now)


def _with_step(report: Report, account: Account) -> Report:
    step = account.last_change
    if step is None or any(one["number"] == step.number for one in report.history):
        return report
    return replace(report, history=[*report.history, to_json(step)])


def _tell(state: State, report: Report, way: OffboardPorts) -> None:
    facts = report.account
    place = f"s3://{way.reports.bucket}/{state[p.REPORT_KEY]}"
    way.bus.put(
        event(
            AccountRemoved(
                data=_what(report.data),
                removed=", ".join(f"{count} {kind}" for kind, count in report.removed.items()),
                report=place,
                customer=instruction(facts),
            ),
            EventAccount(facts["account_id"], facts["name"], facts["type"]),
            state[p.REPORT_KEY],
        )
    )


def _what(data: Data) -> str:
    if data is Data.KEEP:
        return "Its data are kept and can still be queried."
    return "Its data are deleted."


def _remaining(holdings: Sequence[Holding], account_id: str) -> dict[str, Found]:
    return {holding.kind: _counted(holding.of(account_id)) for holding in holdings}


def _counted(names: Iterator[str]) -> Found:
    first = tuple(islice(names, MAX_NAMED))
    return Found(len(first) + sum(1 for _ in names), first)


def _read(state: State, way: OffboardPorts) -> Report:
    return Report.from_payload(way.reports.read_json(state[p.REPORT_KEY]))


def _write(state: State, report: Report, way: OffboardPorts) -> None:
    way.reports.write_json(state[p.REPORT_KEY], report.to_payload())
