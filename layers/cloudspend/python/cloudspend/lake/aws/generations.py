"""Generations and published periods as registry items in DynamoDB."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Key

from cloudspend.aws.dynamodb import (
    EXISTS,
    NEW,
    DynamoTable,
    Expression,
    Write,
    assignments,
    check_write,
    delete_write,
    is_written,
    items_under,
    put_write,
    update_write,
)
from cloudspend.errors import TransientError, names
from cloudspend.exports.model import BillingPeriod
from cloudspend.lake import items
from cloudspend.lake.model import (
    KEPT,
    AccountInventory,
    Generation,
    GenerationState,
    PublishedPeriod,
    SweepState,
    Totals,
    Verdict,
)
from cloudspend.lake.totals import to_payload

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

# A published generation keeps its state; a delivery that was planned again must not change it.
UNLESS_PUBLISHED = Expression(
    "attribute_exists(pk) AND (attribute_not_exists(#s) OR #s <> :published)",
    {":published": str(GenerationState.PUBLISHED)},
    {"#s": "state"},
)
_RETRIED = {f":p{number}": name for number, name in enumerate(names(TransientError))}
# The first failure of an attempt is kept, unless it was transient.
UNLESS_FAILED = Expression(
    "attribute_exists(pk) AND (attribute_not_exists(failure) OR failure = :none"
    f" OR failure.#e IN ({', '.join(_RETRIED)}))",
    {":none": None, **_RETRIED},
    {"#e": "error"},
)


class DynamoGenerations:
    """`Generations` on the table `cloudspend` (a boto3 Table resource)."""

    def __init__(self, table: "Table") -> None:
        self._table = DynamoTable(table)

    def pointer(self, account_id: str, period: BillingPeriod) -> PublishedPeriod | None:
        item = self._table.get(items.period_key(account_id, period))
        return items.to_period(item) if item else None

    def periods(self, account_id: str) -> list[PublishedPeriod]:
        return [items.to_period(item) for item in self._under(account_id, items.PERIOD)]

    def get(self, account_id: str, period: BillingPeriod, generation: str) -> Generation | None:
        item = self._table.get(items.generation_key(account_id, period, generation))
        return items.to_generation(item) if item else None

    def of_period(self, account_id: str, period: BillingPeriod) -> list[Generation]:
        planned = self._under(account_id, f"{items.GENERATION}{period}#")
        return [items.to_generation(item) for item in planned]

    def of_manifest(self, account_id: str, bucket: str, key: str) -> Generation | None:
        generations = map(items.to_generation, self._under(account_id, items.GENERATION))
        planned = [g for g in generations if (g.manifest_bucket, g.manifest_key) == (bucket, key)]
        return max(planned, key=lambda generation: generation.generation, default=None)

    def plan(self, generation: Generation) -> None:
        item = items.generation_item(generation)
        key = {name: item.pop(name) for name in ("pk", "sk")}
        state = item.pop("state")
        # A reader between the two writes, or after a crash there, finds a generation with a state.
        self._table.update(key, assignments({**item, "failure": None}, initial={"state": state}))
        self._set_state(key, GenerationState(state))

    def record_checked(
        self, account_id: str, period: BillingPeriod, generation: str, totals: Totals
    ) -> None:
        key = items.generation_key(account_id, period, generation)
        self._update(key, {"totals": to_payload(totals), "failure": None}, EXISTS)
        self._set_state(key, GenerationState.CHECKED)

    def record_outcome(
        self, account_id: str, period: BillingPeriod, generation: str, state: GenerationState
    ) -> None:
        self._set_state(items.generation_key(account_id, period, generation), state)

    def record_failure(
        self,
        account_id: str,
        period: BillingPeriod,
        generation: str,
        failure: Mapping[str, Any],
        *,
        final: bool = False,
    ) -> None:
        key = items.generation_key(account_id, period, generation)
        kept = json.loads(json.dumps(failure, default=str), parse_float=str)
        self._update(key, {"failure": kept}, UNLESS_FAILED)
        if final:
            self._set_state(key, GenerationState.FAILED)

    def record_verdict(
        self,
        account_id: str,
        period: BillingPeriod,
        generation: str,
        *,
        verdict: Verdict,
        reason: str,
        residual: Decimal | None,
        at: datetime,
    ) -> bool:
        values = {
            "verdict": str(verdict),
            "verdict_reason": reason,
            "residual": None if residual is None else f"{residual:f}",
            "reconciled_at": at.isoformat(),
        }
        key = items.period_key(account_id, period)
        return self._update(key, values, _is_current(generation))

    def advance(self, published: PublishedPeriod, over: str | None) -> bool:
        condition = NEW if over is None else _is_current(over)
        return is_written(lambda: self._table.put(items.period_item(published), condition))

    def roll_back(self, published: PublishedPeriod, over: str) -> bool:
        states = {f":{state}": str(state) for state in sorted(KEPT)}
        has_data = Expression(
            f"attribute_type(totals, :map) AND #s IN ({', '.join(states)})",
            {":map": "M", **states},
            {"#s": "state"},
        )
        key = items.generation_key(published.account_id, published.period, published.generation)
        return self._transact(
            put_write(items.period_item(published), _is_current(over)),
            check_write(key, has_data),
        )

    def holdings(self, account_id: str) -> AccountInventory:
        of_account = Key("pk").eq(f"ACCOUNT#{account_id}")
        between = Key("sk").between(items.GENERATION, f"{items.PERIOD}~")
        return items.to_holdings(list(self._table.query(of_account & between)))

    def remember(self, account_id: str, watch: SweepState) -> None:
        self._table.put(items.watch_item(account_id, watch))

    def expire(self, account_id: str, period: BillingPeriod, generation: str, at: datetime) -> bool:
        not_current = Expression(
            "attribute_not_exists(pk) OR generation <> :generation", {":generation": generation}
        )
        key = items.generation_key(account_id, period, generation)
        return self._transact(
            check_write(items.period_key(account_id, period), not_current), _expiry(key, at)
        )

    def retire(self, published: PublishedPeriod, at: datetime) -> bool:
        account_id, period = published.account_id, published.period
        current = _is_current(published.generation)
        key = items.generation_key(account_id, period, published.generation)
        return self._transact(
            delete_write(items.period_key(account_id, period), current), _expiry(key, at)
        )

    def restore(self, account_id: str, period: BillingPeriod, generation: str) -> bool:
        key = items.generation_key(account_id, period, generation)
        published = assignments({"state": str(GenerationState.PUBLISHED)})
        return self._transact(
            check_write(items.period_key(account_id, period), _is_current(generation)),
            update_write(key, published, EXISTS),
        )

    def forget(self, account_id: str, period: BillingPeriod, generation: str) -> None:
        key = items.generation_key(account_id, period, generation)
        expired = Expression(
            "#s = :expired", {":expired": str(GenerationState.EXPIRED)}, {"#s": "state"}
        )
        is_written(lambda: self._table.delete(key, expired))

    def _transact(self, *writes: Write) -> bool:
        """Write all of `writes` or none. Return False when a condition fails."""
        return is_written(lambda: self._table.transact(*writes))

    def _set_state(self, key: items.Item, state: GenerationState) -> None:
        """Set the state of a generation that is not published."""
        self._update(key, {"state": str(state)}, UNLESS_PUBLISHED)

    def _update(self, key: items.Item, values: Mapping[str, Any], condition: Expression) -> bool:
        """Set attributes. Return False when the condition fails."""
        return is_written(lambda: self._table.update(key, assignments(values), condition))

    def _under(self, account_id: str, prefix: str) -> Iterator[dict[str, Any]]:
        return self._table.query(items_under(f"ACCOUNT#{account_id}", prefix))


def _is_current(generation: str) -> Expression:
    """Return the condition of a published period that `generation` is current."""
    return Expression("generation = :current", {":current": generation})


def _expiry(key: items.Item, at: datetime) -> Write:
    values = {"state": str(GenerationState.EXPIRED), "expired_at": at.isoformat()}
    return update_write(key, assignments(values), EXISTS)
