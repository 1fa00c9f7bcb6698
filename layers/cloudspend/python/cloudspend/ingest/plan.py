"""Plan a generation: from a manifest to its conversion tasks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cloudspend import payloads as p
from cloudspend.accounts.model import Account
from cloudspend.accounts.ports import AccountReader
from cloudspend.convert.model import ConversionTask
from cloudspend.errors import UsageError
from cloudspend.exports.deliveries import planned_files, read_delivery
from cloudspend.exports.model import BillingPeriod, DeliveredFile, Delivery
from cloudspend.ingest.decisions import Skip, decide_ingest
from cloudspend.ingest.grouping import grouped
from cloudspend.ingest.start import OpenBucket
from cloudspend.lake.model import Generation, GenerationState
from cloudspend.lake.ports import Generations, Lake
from cloudspend.lake.tables import BILLING_DETAIL, COST_AND_USAGE, generation_prefix
from cloudspend.settings import TASK_BYTES

RUNS = "runs"
MAPS = "map"
PLAN = "plan.json"
MB = 1_000_000

State = Mapping[str, Any]


@dataclass(frozen=True)
class IngestPorts:
    """Ports of planning and checking; `task_bytes` limits the files of a task."""

    generations: Generations
    lake: Lake
    task_bytes: int = TASK_BYTES


def plan(
    state: State, registry: AccountReader, open_bucket: OpenBucket, ingest_ports: IngestPorts
) -> dict[str, Any]:
    """Decide whether to ingest the delivery, and write its plan file.

    The generation is recorded before its files are looked up, so a missing file is a failure of
    that generation. Raises UsageError for an account that is not active, and the errors of reading
    a delivery.
    """
    account = registry.get(state[p.ACCOUNT_ID])
    if not account.is_ingesting:
        raise UsageError(f"The account {account.account_id} is {account.state}, not active.")
    objects = open_bucket(account)
    delivery = read_delivery(account, objects, state[p.MANIFEST_BUCKET], state[p.MANIFEST_KEY])
    named = {**state, p.PERIOD: str(delivery.period), p.GENERATION: delivery.generation}
    decision = _decision(account, delivery, ingest_ports.generations)
    if isinstance(decision, Skip):
        return {**named, p.DECISION: p.SKIP, p.REASON: decision.reason}
    ingest_ports.generations.plan(_planned(account, delivery))
    files = planned_files(delivery, objects)
    tasks = _tasks(account, delivery, grouped(files, ingest_ports.task_bytes))
    key = _write(delivery, tasks, ingest_ports.lake)
    reason = f"{decision.reason} {_summary(account, files, tasks)}"
    return {
        **named,
        p.DECISION: p.INGEST,
        p.REASON: reason,
        p.PLAN_BUCKET: ingest_ports.lake.bucket,
        p.PLAN_KEY: key,
    }


def _decision(account: Account, delivery: Delivery, generations: Generations) -> Any:
    pointer = generations.pointer(account.account_id, delivery.period)
    existing = generations.get(account.account_id, delivery.period, delivery.generation)
    decision = decide_ingest(delivery.generation, pointer, existing)
    if isinstance(decision, Skip) and decision.superseded:
        if existing is None:
            generations.plan(_planned(account, delivery))
        generations.record_outcome(
            account.account_id, delivery.period, delivery.generation, GenerationState.SUPERSEDED
        )
    return decision


def _planned(account: Account, delivery: Delivery) -> Generation:
    return Generation(
        account_id=account.account_id,
        period=delivery.period,
        generation=delivery.generation,
        delivery_id=delivery.delivery_id,
        delivered_at=delivery.delivered_at,
        manifest_bucket=delivery.manifest_bucket,
        manifest_key=delivery.manifest_key,
        state=GenerationState.PLANNED,
    )


def _tasks(
    account: Account, delivery: Delivery, groups: Sequence[tuple[DeliveredFile, ...]]
) -> list[ConversionTask]:
    return [
        ConversionTask(
            account_id=account.account_id,
            period=delivery.period,
            generation=delivery.generation,
            task=number,
            kind=delivery.kind,
            compression=delivery.compression,
            files=group,
            tables=filled_tables(account),
            tag_columns=account.tag_columns,
        )
        for number, group in enumerate(groups)
    ]


def filled_tables(account: Account) -> tuple[str, ...]:
    """Return the tables that the account's deliveries are written to."""
    if account.billing_detail:
        return (COST_AND_USAGE.name, BILLING_DETAIL.name)
    return (COST_AND_USAGE.name,)


def _summary(
    account: Account, files: Sequence[DeliveredFile], tasks: Sequence[ConversionTask]
) -> str:
    size = sum(file.size for file in files) / MB
    said = f"Its {len(files)} files of {size:,.1f} MB are converted in {len(tasks)} tasks."
    if account.billing_detail:
        return said
    kind = account.export.kind
    why = "the account does without it" if kind.is_cur else f"{kind} does not hold its line items"
    return f"{said} The table {BILLING_DETAIL.name} is left out: {why}."


def maps_folder(account_id: str, period: BillingPeriod, generation: str) -> str:
    """Return the folder of the map results of a generation's conversion."""
    return generation_prefix(RUNS, account_id, period, generation) + MAPS


def _write(delivery: Delivery, tasks: Sequence[ConversionTask], lake: Lake) -> str:
    prefix = generation_prefix(RUNS, delivery.account_id, delivery.period, delivery.generation)
    lake.write_json(prefix + PLAN, [task.to_payload() for task in tasks])
    return prefix + PLAN
