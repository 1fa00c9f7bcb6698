"""Deploy every stack to a local cloud, with the real CDK command line.

The application is synthesized once; bootstrap needs no application and runs next to it.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cloudspend.errors import Defect, UsageError
from local.machine import PLATFORM_ACCOUNT, REGION, ROOT, LocalCloud, last_lines

CDK = ROOT / "node_modules" / ".bin" / "cdk"
STAGE_FILE = "local/stage.json"

OnProgress = Callable[[str], None]
Outputs = dict[str, dict[str, str]]

_POLL_SECONDS = 0.1
_PATIENCE_SECONDS = 2.0
# Deploying straight instead of by change sets saves a request and a wait for each stack.
_DEPLOY = ("deploy", "--all", "--require-approval", "never", "--method", "direct")
_CONCURRENCY = "4"


@dataclass(frozen=True)
class Command:
    """A started CDK command: what it does, its process and where its output goes."""

    title: str
    process: "subprocess.Popen[bytes]"
    log: Path


def deploy(cloud: LocalCloud, on_progress: OnProgress) -> Outputs:
    """Bootstrap and deploy; returns each stack's outputs.

    Reports to `on_progress` at least every two seconds. Raises UsageError when the CDK is
    not installed, Defect with the end of the log when a command fails.
    """
    if not CDK.exists():
        raise UsageError("The CDK command line is not installed.", remedy="Run `npm ci`.")
    assembly = str(cloud.state_dir / "cdk.out")
    outputs = cloud.state_dir / "outputs.json"
    on_progress("cdk synth, and cdk bootstrap at the same time")
    with (
        _started(cloud, "synth", "--quiet", "-c", f"stage-file={STAGE_FILE}", "-o", assembly) as a,
        _started(cloud, "bootstrap", f"aws://{PLATFORM_ACCOUNT}/{REGION}") as b,
    ):
        _finish([a, b], on_progress)
    on_progress("cdk deploy --all")
    options = ("--concurrency", _CONCURRENCY, "--outputs-file", str(outputs), "--app", assembly)
    with _started(cloud, *_DEPLOY, *options) as command:
        _finish([command], on_progress)
    return dict(json.loads(outputs.read_text())) if outputs.exists() else {}


@contextmanager
def _started(cloud: LocalCloud, name: str, *arguments: str) -> Iterator[Command]:
    """Run `cdk <name>`; a command that still runs when the block ends is ended."""
    log = cloud.state_dir / f"cdk-{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(CDK), name, *arguments, "--no-notices", "--no-version-reporting", "--ci"],
            # Where there is a cdk.json, bootstrap would synthesize the application as well.
            cwd=cloud.state_dir if name == "bootstrap" else ROOT,
            env=_environment(cloud, os.environ),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield Command(f"cdk {name}", process, log)
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait()


def _finish(commands: list[Command], on_progress: OnProgress) -> None:
    """Wait for all; the first one that fails is raised at once."""
    started = spoke = time.monotonic()
    running = commands
    while running:
        for command in running:
            if command.process.poll():
                raise Defect(
                    f"`{command.title}` failed:\n{last_lines(command.log)}",
                    remedy=f"Its whole output is in {command.log}.",
                )
        running = [command for command in running if command.process.poll() is None]
        if running and time.monotonic() - spoke > _PATIENCE_SECONDS:
            spoke = time.monotonic()
            on_progress(f"{' and '.join(c.title for c in running)}: {spoke - started:.0f} s")
        time.sleep(_POLL_SECONDS)


def _environment(cloud: LocalCloud, inherited: Mapping[str, str]) -> dict[str, str]:
    """This process's environment without anything of AWS, pointed at the local cloud."""
    kept = {k: v for k, v in inherited.items() if not k.startswith(("AWS_", "CDK_"))}
    programs = os.pathsep.join([str(Path(sys.executable).parent), inherited.get("PATH", "")])
    return kept | {
        **cloud.environment(),
        "AWS_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        # A list of major versions: 20 is the oldest that CloudSpend allows.
        "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "20",
        "PATH": programs,
    }
