"""What a stage may differ in, and how a wrong one is refused."""

import json
import re
from dataclasses import fields
from pathlib import Path

import pytest
from aws_cdk import App

from cloudspend.errors import UsageError
from cloudspend.settings import Policy, Settings
from layers.dependencies import build
from stacks.constructs.functions import ARCHITECTURE
from stacks.stage import S3_RESPONSE_HOSTS, STAGES, Stage, chosen


def test_without_a_word_it_is_not_production() -> None:
    assert chosen(App().node) == Stage()
    assert Stage().name != "production"
    assert not Stage().retain_data


def test_a_stage_is_chosen_by_name() -> None:
    assert chosen(App(context={"stage": "production"}).node) is STAGES["production"]


def test_an_unknown_stage_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="development, production"):
        chosen(App(context={"stage": "prod"}).node)


def test_a_stage_file_says_only_what_differs(tmp_path: Path) -> None:
    path = tmp_path / "stage.json"
    path.write_text(json.dumps({"name": "laptop", "retry_seconds": 1}), encoding="utf-8")
    stage = chosen(App(context={"stage-file": str(path)}).node)
    assert (stage.name, stage.retry_seconds, stage.python) == ("laptop", 1, Stage.python)


@pytest.mark.parametrize(
    ("text", "said"),
    [("{", "cannot be read"), ("[]", "not a JSON object"), ('{"retries": 1}', "retries")],
)
def test_a_wrong_stage_file_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "stage.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=said):
        Stage.from_file(path)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"fresh_hours": "three days"}, 'sets fresh_hours to "three days", which is not a whole'),
        ({"fresh_hours": 1.5}, "sets fresh_hours to 1.5, which is not a whole number"),
        ({"fresh_hours": True}, "sets fresh_hours to true, which is not a whole number"),
        ({"fresh_hours": 0}, "sets fresh_hours to 0; the smallest value is 1"),
        ({"collect_pages": -1}, "sets collect_pages to -1; the smallest value is 1"),
        ({"collect_overlaps": None}, "sets collect_overlaps to null, which is not a text"),
        ({"retain_data": "yes"}, 'sets retain_data to "yes", which is not true or false'),
        ({"python": 3.13}, "sets python to 3.13, which is not a text"),
    ],
)
def test_a_wrong_value_is_refused_at_synthesis(
    tmp_path: Path, values: dict[str, object], sentence: str
) -> None:
    path = tmp_path / "stage.json"
    path.write_text(json.dumps(values), encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        Stage.from_file(path)
    assert caught.value.summary.startswith(f"The stage file {path} ")
    assert sentence in caught.value.summary


def other_values() -> dict[str, object]:
    """A value for each setting of the policy that differs from its default."""
    values: dict[str, object] = {}
    for setting in fields(Policy):
        default = getattr(Policy(), setting.name)
        values[setting.name] = f"{default}x" if isinstance(default, str) else default + 1
    return values


def test_every_setting_of_a_policy_reaches_functions_and_command_line(tmp_path: Path) -> None:
    path = tmp_path / "stage.json"
    path.write_text(json.dumps(other_values()), encoding="utf-8")
    settings = Stage.from_file(path).settings("000000000000", "us-east-1", "aws")
    expected = Policy(**other_values())  # type: ignore[arg-type]
    assert settings.policy == expected
    assert Settings.from_env(settings.to_env()) == settings
    assert Policy.from_json(settings.policy.to_json()) == expected


def test_a_setting_cannot_be_given_by_position() -> None:
    with pytest.raises(TypeError, match="positional"):
        Policy(4, 3)  # type: ignore[call-arg]


def test_the_layer_is_built_for_the_runtime_that_is_deployed() -> None:
    assert {stage.python for stage in STAGES.values()} == {build.PYTHON}
    assert ARCHITECTURE.name == build.DEPLOYED


@pytest.mark.parametrize(
    "origin",
    [
        "https://cloudformation-custom-resource-response-useast1.s3.amazonaws.com",
        "https://cloudformation-custom-resource-response-euwest1.s3.eu-west-1.amazonaws.com",
        "https://cloudformation-custom-resource-response-euwest1.s3-eu-west-1.amazonaws.com",
        "https://cloudformation-custom-resource-response-cnnorth1.s3.cn-north-1.amazonaws.com.cn",
    ],
)
def test_cloudformation_is_answered(origin: str) -> None:
    assert re.fullmatch(S3_RESPONSE_HOSTS, origin)


@pytest.mark.parametrize(
    "origin",
    [
        "http://cloudformation-custom-resource-response-useast1.s3.amazonaws.com",
        "https://cloudformation-custom-resource-response-useast1.s3.amazonaws.com.example.org",
        "https://cloudformation-custom-resource-response-useast1.example.s3.amazonaws.com",
        "https://someones-bucket.s3.amazonaws.com",
        "https://169.254.169.254",
    ],
)
def test_nobody_else_is_called(origin: str) -> None:
    assert not re.fullmatch(S3_RESPONSE_HOSTS, origin)
