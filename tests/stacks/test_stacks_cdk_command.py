"""The command by which the CDK starts the application, as `npx cdk` of the guides runs it."""

import json
import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
SILENCED = "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION"


def test_the_application_starts_without_the_end_of_life_box() -> None:
    command = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["app"]
    environment = {name: value for name, value in os.environ.items() if name != SILENCED}
    environment["CDK_CONTEXT_JSON"] = json.dumps({"stage": "nowhere"})
    result = subprocess.run(
        ["sh", "-c", command],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert result.stderr.startswith("There is no stage 'nowhere'.")
    assert "end-of-life" not in result.stderr
