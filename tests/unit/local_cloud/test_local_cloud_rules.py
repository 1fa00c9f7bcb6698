"""The local cloud's pure rules: retry delays, batches, bus policies, faults."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.cloud import buses, faults
from local.cloud.distributed_map import batches
from local.cloud.lambdas import Sessions, started
from local.cloud.retries import delay


@pytest.mark.parametrize(
    ("retrier", "attempt", "seconds"),
    [
        ({}, 0, 1),
        ({"IntervalSeconds": 3}, 2, 12),
        ({"IntervalSeconds": 3, "BackoffRate": 1}, 5, 3),
        ({"IntervalSeconds": 3, "MaxDelaySeconds": 5}, 2, 5),
        ({"IntervalSeconds": 4, "JitterStrategy": "FULL"}, 1, 4),
        ({"IntervalSeconds": 4, "JitterStrategy": "NONE"}, 1, 8),
    ],
)
def test_a_retry_waits_as_the_states_language_says(
    retrier: dict[str, Any], attempt: int, seconds: float
) -> None:
    assert delay(retrier, attempt, lambda: 0.5) == seconds


@given(st.lists(st.integers(), max_size=30), st.integers(1, 7), st.integers(20, 60))
def test_batches_keep_every_item_in_order_and_within_the_limits(
    items: list[int], most: int, most_bytes: int
) -> None:
    limits = {"MaxItemsPerBatch": most, "MaxInputBytesPerBatch": most_bytes}
    found = [batch["Items"] for batch in batches(items, limits, None)]
    assert [item for batch in found for item in batch] == items
    assert all(len(batch) <= most for batch in found)
    assert all(len(json.dumps(batch)) <= most_bytes or len(batch) == 1 for batch in found)


def test_every_batch_bears_the_shared_input() -> None:
    assert batches([1, 2], {"MaxItemsPerBatch": 1}, {"a": 1}) == [
        {"BatchInput": {"a": 1}, "Items": [1]},
        {"BatchInput": {"a": 1}, "Items": [2]},
    ]


BUS = "arn:aws:events:us-east-1:000000000000:event-bus/deliveries"
CALLER = "arn:aws:iam::111111111111:root"
S3 = {"events:source": "aws.s3", "events:detail-type": "Object Created"}


@pytest.mark.parametrize(
    ("principal", "condition", "context", "allowed"),
    [
        ("*", {}, {}, True),
        ({"AWS": "111111111111"}, {}, {}, True),
        ({"AWS": "arn:aws:iam::111111111111:root"}, {}, {}, True),
        ({"AWS": "222222222222"}, {}, {}, False),
        ("*", {"StringEquals": {"events:source": "aws.s3"}}, S3, True),
        ("*", {"StringEquals": {"events:source": "aws.s3"}}, {"events:source": "forged"}, False),
        ("*", {"StringEquals": S3}, {**S3, "events:detail-type": "Object Deleted"}, False),
    ],
)
def test_a_bus_policy_decides_by_principal_and_conditions(
    principal: Any, condition: Any, context: dict[str, str], allowed: bool
) -> None:
    statement = {
        "Effect": "Allow",
        "Principal": principal,
        "Action": "events:PutEvents",
        "Resource": BUS,
        "Condition": condition,
    }
    assert buses.policy_allows({"Statement": [statement]}, BUS, CALLER, context) is allowed


def test_without_a_policy_no_other_account_gets_in() -> None:
    assert not buses.policy_allows(None, BUS, CALLER, {})


SIGNED = "AWS4-HMAC-SHA256 Credential=111111111111/20261101/us-east-1/{}/aws4_request, Signed"


@pytest.mark.parametrize(
    ("service", "headers", "body", "operation"),
    [
        ("ce", {"x-amz-target": "AWSInsightsIndexService.GetCostAndUsage"}, b"", "GetCostAndUsage"),
        (
            "sts",
            {"content-type": "application/x-www-form-urlencoded"},
            b"Action=AssumeRole&Version=1",
            "AssumeRole",
        ),
        ("s3", {}, b"Action=ofTheObject", ""),
    ],
)
def test_a_request_is_known_by_its_signature_and_protocol(
    service: str, headers: dict[str, str], body: bytes, operation: str
) -> None:
    headers = {**headers, "authorization": SIGNED.format(service)}
    found = faults.request_of("POST", "/", headers, body)
    assert (found.service, found.operation) == (service, operation)


REQUEST = faults.Request("s3", "", "GET", "/lake/a/b.parquet")


@pytest.mark.parametrize(
    ("fault", "hit"),
    [
        (faults.Fault("s3"), True),
        (faults.Fault("ce"), False),
        (faults.Fault("s3", operation="GetObject"), False),
        (faults.Fault("s3", method="PUT"), False),
        (faults.Fault("s3", path=r"\.parquet$"), True),
        (faults.Fault("s3", path="^/other"), False),
        (faults.Fault("s3", count=0), False),
    ],
)
def test_a_fault_hits_what_all_its_fields_match(fault: faults.Fault, hit: bool) -> None:
    assert fault.matches(REQUEST) is hit


@pytest.mark.parametrize(
    ("fails", "answer"),
    [
        (0, {"status": "ok"}),
        (1, {"status": "ok"}),
        (2, {"status": "error", "error": "start 2", "error_type": "Runtime.ExitError"}),
    ],
)
def test_a_process_that_does_not_start_is_started_once_more(
    fails: int, answer: dict[str, Any]
) -> None:
    starts: list[str] = []

    def invoke() -> dict[str, Any]:
        starts.append(f"start {len(starts) + 1}")
        if len(starts) <= fails:
            raise RuntimeError(starts[-1])
        return {"status": "ok"}

    ended: list[int] = []
    assert started(invoke, lambda: ended.append(len(starts))) == answer
    # What is left of a process that did not start is gone before the next one is tried.
    assert ended == list(range(1, fails + 1))


def test_sessions_that_come_while_others_are_looked_at_disturb_nobody() -> None:
    sessions = Sessions({"first": {}})
    for key, session in sessions.items():
        sessions[f"after {key}"] = session
    assert set(sessions) == {"first", "after first"}
