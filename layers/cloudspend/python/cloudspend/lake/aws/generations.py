"""Generations and published periods as registry items in DynamoDB."""

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from boto3.dynamodb.conditions import Key
from botocore.exceptions import ClientError

from cloudspend.aws.errors import aws_errors
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


class DynamoGenerations:
    """`Generations` on the table `cloudspend` (a boto3 Table resource)."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def pointer(self, account_id: str, period: BillingPeriod) -> PublishedPeriod | None:
        item = self._item(items.period_key(account_id, period))
        return items.to_period(item) if item else None

    def periods(self, account_id: str) -> list[PublishedPeriod]:
        return [items.to_period(item) for item in self._under(account_id, items.PERIOD)]

    def get(self, account_id: str, period: BillingPeriod, generation: str) -> Generation | None:
        item = self._item(items.generation_key(account_id, period, generation))
        return items.to_generation(item) if item else None

    def of_period(self, account_id: str, period: BillingPeriod) -> list[Generation]:
        found = self._under(account_id, f"{items.GENERATION}{period}#")
        return [items.to_generation(item) for item in found]

    def of_manifest(self, account_id: str, bucket: str, key: str) -> Generation | None:
        found = [items.to_generation(i) for i in self._under(account_id, items.GENERATION)]
        of_it = [g for g in found if (g.manifest_bucket, g.manifest_key) == (bucket, key)]
        return max(of_it, key=lambda generation: generation.generation, default=None)

    def plan(self, generation: Generation) -> None:
        item = items.generation_item(generation)
        key = {name: item.pop(name) for name in ("pk", "sk")}
        state = item.pop("state")
        # A reader between the two writes, or after a crash there, finds a generation with a state.
        self._update(key, {**item, "failure": None}, condition="", at_first={"state": state})
        self._update(key, {"state": state}, unless_published=True)

    def record_checked(
        self, account_id: str, period: BillingPeriod, generation: str, totals: Totals
    ) -> None:
        key = items.generation_key(account_id, period, generation)
        self._update(key, {"totals": to_payload(totals), "failure": None})
        self._update(key, {"state": str(GenerationState.CHECKED)}, unless_published=True)

    def record_outcome(
        self, account_id: str, period: BillingPeriod, generation: str, state: GenerationState
    ) -> None:
        key = items.generation_key(account_id, period, generation)
        self._update(key, {"state": str(state)}, unless_published=True)

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
        passing = {f":p{n}": name for n, name in enumerate(names(TransientError))}
        self._update(
            key,
            {"failure": kept},
            condition="attribute_exists(pk) AND (attribute_not_exists(failure) OR failure = :none"
            f" OR failure.#e IN ({', '.join(passing)}))",
            bound={":none": None, **passing},
        )
        if final:
            self._update(key, {"state": str(GenerationState.FAILED)}, unless_published=True)

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
        return self._update(key, values, condition="generation = :is", bound={":is": generation})

    def advance(self, published: PublishedPeriod, over: str | None) -> bool:
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
        if over is not None:
            condition = {
                "ConditionExpression": "generation = :over",
                "ExpressionAttributeValues": {":over": over},
            }
        return _unless_conditional(
            lambda: self._table.put_item(Item=items.period_item(published), **condition)
        )

    def roll_back(self, published: PublishedPeriod, over: str) -> bool:
        pointer = {
            "Item": items.period_item(published),
            "ConditionExpression": "generation = :over",
            "ExpressionAttributeValues": {":over": over},
        }
        states = {f":{state}": str(state) for state in sorted(KEPT)}
        kept = {
            "Key": items.generation_key(
                published.account_id, published.period, published.generation
            ),
            "ConditionExpression": f"attribute_type(totals, :map) AND #s IN ({', '.join(states)})",
            "ExpressionAttributeNames": {"#s": "state"},
            "ExpressionAttributeValues": {":map": "M", **states},
        }
        return self._transact({"Put": pointer}, {"ConditionCheck": kept})

    def holdings(self, account_id: str) -> AccountInventory:
        held = Key("sk").between(items.GENERATION, f"{items.PERIOD}~")
        return items.to_holdings(self._where(Key("pk").eq(f"ACCOUNT#{account_id}") & held))

    def remember(self, account_id: str, watch: SweepState) -> None:
        with aws_errors("The registry"):
            self._table.put_item(Item=items.watch_item(account_id, watch))

    def expire(self, account_id: str, period: BillingPeriod, generation: str, at: datetime) -> bool:
        pointer = {
            "Key": items.period_key(account_id, period),
            "ConditionExpression": "attribute_not_exists(pk) OR generation <> :generation",
            "ExpressionAttributeValues": {":generation": generation},
        }
        key = items.generation_key(account_id, period, generation)
        return self._transact({"ConditionCheck": pointer}, {"Update": _expiry(key, at)})

    def retire(self, published: PublishedPeriod, at: datetime) -> bool:
        held = (published.account_id, published.period, published.generation)
        key = items.generation_key(*held)
        return self._transact({"Delete": _if_current(*held)}, {"Update": _expiry(key, at)})

    def restore(self, account_id: str, period: BillingPeriod, generation: str) -> bool:
        state = _state(
            items.generation_key(account_id, period, generation), GenerationState.PUBLISHED
        )
        current = _if_current(account_id, period, generation)
        return self._transact({"ConditionCheck": current}, {"Update": state})

    def forget(self, account_id: str, period: BillingPeriod, generation: str) -> None:
        _unless_conditional(
            lambda: self._table.delete_item(
                Key=items.generation_key(account_id, period, generation),
                ConditionExpression="#state = :expired",
                ExpressionAttributeNames={"#state": "state"},
                ExpressionAttributeValues={":expired": str(GenerationState.EXPIRED)},
            )
        )

    def _transact(self, *writes: Mapping[str, Mapping[str, Any]]) -> bool:
        """Write all of `writes` or none. Return False when a condition fails."""
        client = self._table.meta.client
        named = [
            {kind: {"TableName": self._table.name, **write} for kind, write in one.items()}
            for one in writes
        ]
        try:
            with aws_errors("The registry"):
                client.transact_write_items(TransactItems=named)
        except client.exceptions.TransactionCanceledException as error:
            codes = {reason.get("Code") for reason in error.response["CancellationReasons"]}
            if "ConditionalCheckFailed" in codes:
                return False
            raise TransientError("The registry asks to try later.", cause=str(error)) from error
        return True

    def _update(
        self,
        key: items.Item,
        values: Mapping[str, Any],
        *,
        unless_published: bool = False,
        condition: str = "attribute_exists(pk)",
        bound: Mapping[str, Any] | None = None,
        at_first: Mapping[str, Any] | None = None,
    ) -> bool:
        """Set attributes, and those of `at_first` if they are not set yet.

        Return False when the condition fails. An item without a condition is created.
        """
        attributes = {f"#{n}": name for n, name in enumerate(values)}
        bound = dict(bound or {}) | {f":{n}": value for n, value in enumerate(values.values())}
        if unless_published:
            attributes["#s"] = "state"
            bound[":published"] = str(GenerationState.PUBLISHED)
            condition = "attribute_exists(pk) AND (attribute_not_exists(#s) OR #s <> :published)"
        if "#e" in condition:
            attributes["#e"] = "error"
        settings = [f"#{n} = :{n}" for n in range(len(values))]
        for n, (name, value) in enumerate((at_first or {}).items()):
            settings.append(f"#f{n} = if_not_exists(#f{n}, :f{n})")
            attributes[f"#f{n}"], bound[f":f{n}"] = name, value
        request: dict[str, Any] = {
            "Key": key,
            "UpdateExpression": f"SET {', '.join(settings)}",
            "ExpressionAttributeNames": attributes,
            "ExpressionAttributeValues": bound,
        }
        if condition:
            request["ConditionExpression"] = condition
        return _unless_conditional(lambda: self._table.update_item(**request))

    def _item(self, key: items.Item) -> Mapping[str, Any] | None:
        with aws_errors("The registry"):
            answer: dict[str, Any] = self._table.get_item(Key=key, ConsistentRead=True)
        return answer.get("Item")

    def _under(self, account_id: str, prefix: str) -> list[Mapping[str, Any]]:
        return self._where(Key("pk").eq(f"ACCOUNT#{account_id}") & Key("sk").begins_with(prefix))

    def _where(self, condition: Any) -> list[Mapping[str, Any]]:
        request: dict[str, Any] = {"KeyConditionExpression": condition, "ConsistentRead": True}
        found: list[Mapping[str, Any]] = []
        while True:
            with aws_errors("The registry"):
                page = self._table.query(**request)
            found.extend(page["Items"])
            if "LastEvaluatedKey" not in page:
                return found
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def _if_current(account_id: str, period: BillingPeriod, generation: str) -> dict[str, Any]:
    """Return the part of a transaction that requires `generation` to be current."""
    return {
        "Key": items.period_key(account_id, period),
        "ConditionExpression": "generation = :generation",
        "ExpressionAttributeValues": {":generation": generation},
    }


def _state(key: items.Item, state: GenerationState) -> dict[str, Any]:
    return {
        "Key": key,
        "ConditionExpression": "attribute_exists(pk)",
        "UpdateExpression": "SET #state = :state",
        "ExpressionAttributeNames": {"#state": "state"},
        "ExpressionAttributeValues": {":state": str(state)},
    }


def _expiry(key: items.Item, at: datetime) -> dict[str, Any]:
    update = _state(key, GenerationState.EXPIRED)
    update["UpdateExpression"] += ", expired_at = :at"
    update["ExpressionAttributeValues"] |= {":at": at.isoformat()}
    return update


def _unless_conditional(write: Any) -> bool:
    try:
        with aws_errors("The registry"):
            write()
    except ClientError as error:
        if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
            return False
        raise
    return True
