"""The platform as the operator's credentials find it."""

from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from cloudspend import wiring
from cloudspend.errors import UsageError
from cloudspend.settings import POLICY_PARAMETER, Policy

DEPLOYED = Policy(collect_pages=20, fresh_hours=72, kept_generations=10)


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    wiring.operator.cache_clear()
    yield
    wiring.operator.cache_clear()


def publish(value: str) -> None:
    """Put the policy where the stacks put it."""
    boto3.client("ssm").put_parameter(Name=POLICY_PARAMETER, Value=value, Type="String")


def test_a_shell_without_a_region_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    with pytest.raises(UsageError, match="AWS_DEFAULT_REGION"):
        wiring.operator()


def test_the_command_line_works_with_the_deployed_policy() -> None:
    with mock_aws():
        publish(DEPLOYED.to_json())
        platform = wiring.operator()
    assert platform.settings.policy == DEPLOYED
    assert platform.collect_ports.cap == 20
    assert platform.sweep_ports.kept.generations == 10


def test_settings_of_a_newer_deployment_are_ignored() -> None:
    with mock_aws():
        publish('{"fresh_hours": 72, "of_tomorrow": 1}')
        assert wiring.operator().settings.policy == Policy(fresh_hours=72)


def test_where_nothing_is_deployed_the_account_and_region_are_named() -> None:
    with mock_aws(), pytest.raises(UsageError) as caught:
        wiring.operator()
    assert caught.value.summary == (
        "CloudSpend is not deployed in account 123456789012, region us-east-1."
    )


@pytest.mark.parametrize("value", ["no JSON", "[]", '{"fresh_hours": "soon"}'])
def test_a_damaged_policy_is_refused(value: str) -> None:
    with mock_aws():
        publish(value)
        with pytest.raises(UsageError, match=POLICY_PARAMETER):
            wiring.operator()
