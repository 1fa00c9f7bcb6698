"""What a stage may differ in, and how a wrong one is refused."""

import json
import re
from pathlib import Path

import pytest
from aws_cdk import App

from cloudspend.errors import UsageError
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
