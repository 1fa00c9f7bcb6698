"""The real CDK command line deploys an application to the local cloud."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloudspend.errors import Defect
from local import deploy as deploying
from local.machine import LocalCloud

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]

APPLICATION = """
import aws_cdk as cdk
from aws_cdk import aws_lambda as functions

app = cdk.App()
assert app.node.try_get_context("stage-file") == "local/stage.json"
stack = cdk.Stack(app, "Small")
task = functions.Function(
    stack, "Task", runtime=functions.Runtime.PYTHON_3_13, handler="task.handler",
    code=functions.Code.from_asset("code"))
cdk.CfnOutput(stack, "Name", value=task.function_name)
app.synth()
"""


@pytest.fixture
def application(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a CDK application of one stack, which `deploy` takes for the repository."""
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "task.py").write_text("def handler(event, context): return event\n")
    (tmp_path / "app.py").write_text(APPLICATION)
    (tmp_path / "cdk.json").write_text(json.dumps({"app": f"{sys.executable} app.py"}))
    monkeypatch.setattr(deploying, "ROOT", tmp_path)
    return tmp_path


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud.start() as running:
        yield running


def test_an_application_is_bootstrapped_and_deployed(cloud: LocalCloud, application: Path) -> None:
    stated: list[str] = []
    outputs = deploying.deploy(cloud, stated.append)
    name = outputs["Small"]["Name"]
    answer = cloud.session().client("lambda").invoke(FunctionName=name, Payload=b'{"a": 1}')
    assert json.loads(answer["Payload"].read()) == {"a": 1}
    assert {stack["name"] for stack in cloud.control("status")["stacks"]} == {"CDKToolkit", "Small"}
    assert stated


def test_a_failing_application_is_said_with_the_end_of_its_log(
    cloud: LocalCloud, application: Path
) -> None:
    (application / "app.py").write_text("raise SystemExit('the stage file is missing')")
    with pytest.raises(Defect, match="the stage file is missing"):
        deploying.deploy(cloud, lambda _: None)
