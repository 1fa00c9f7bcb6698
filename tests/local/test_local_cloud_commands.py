"""`cloudspend local`: what the commands say and leave behind. Nothing is deployed here."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cloudspend.errors import Defect, UsageError
from local import commands
from local.machine import LocalCloud

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]


@pytest.fixture
def port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A free port, with everything of it under a temporary folder, ended after the test."""
    with LocalCloud.start() as probe:
        free = probe.port
    monkeypatch.setenv(commands.PORT, str(free))
    monkeypatch.setattr(commands, "_folder", lambda number: tmp_path / str(number))
    monkeypatch.setattr(commands, "deploy", lambda _cloud, say: say("deployed nothing"))
    yield free
    running = LocalCloud.attach(free, tmp_path / str(free))
    if running:
        running.stop()


def invoke(*arguments: str) -> str:
    result = CliRunner().invoke(commands.app, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


def test_a_cloud_outlives_up_and_ends_with_down(port: int) -> None:
    assert f"http://127.0.0.1:{port}" in invoke("up")
    exports = invoke("env").splitlines()
    assert f"export AWS_ENDPOINT_URL=http://127.0.0.1:{port}" in exports
    assert "export AWS_ACCESS_KEY_ID=000000000000" in exports
    assert "Stacks: none" in invoke("status")
    with pytest.raises(UsageError, match="is running on port"):
        invoke("up")
    invoke("down")
    with pytest.raises(UsageError, match="No local cloud is running"):
        invoke("down")


def test_a_failed_deployment_leaves_nothing_running(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_cloud: LocalCloud, _say: object) -> None:
        raise Defect("`cdk deploy` failed.")

    monkeypatch.setattr(commands, "deploy", fail)
    with pytest.raises(Defect):
        invoke("up")
    with pytest.raises(UsageError, match="No local cloud is running"):
        invoke("status")


@pytest.mark.parametrize("text", ["http", "0", "70000"])
def test_a_port_that_is_none_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(commands.PORT, text)
    with pytest.raises(UsageError, match="is not a port"):
        invoke("status")
