"""The layers as Lambda gets them, for both of its architectures: they fit, and they are enough."""

import platform
import re
import subprocess
from pathlib import Path
from sysconfig import get_path

import pytest

from layers.dependencies import build
from scripts import pythons

ROOT = Path(__file__).parents[2]
LIBRARY = ROOT / "layers" / "cloudspend" / "python"
# AWS Lambda developer guide, "Lambda quotas": the function with its layers, unpacked.
MOST_BYTES = 250 * 1024 * 1024
# What the runtime brings; all of it is Python alone.
RUNTIME = ("boto3", "botocore", "s3transfer", "dateutil", "urllib3", "six.py")
# ELF's numbers of processors.
ELF = {"arm64": 0xB7, "x86_64": 0x3E}


@pytest.fixture(scope="module")
def layers() -> dict[str, Path]:
    """The layer for each architecture; the deployed one is where `make layers` puts it."""
    places = {name: ROOT / ".local" / "layers" / name for name in build.MACHINES}
    places[build.DEPLOYED] = build.BUILD
    for architecture, place in places.items():
        build.build(place, architecture)
    return {name: place / "python" for name, place in places.items()}


@pytest.mark.parametrize("architecture", build.MACHINES)
def test_the_conversion_and_its_layers_fit_into_lambda(
    layers: dict[str, Path], architecture: str
) -> None:
    parts = (layers[architecture], LIBRARY, ROOT / "lambdas")
    assert sum(build.size_of(part) for part in parts) < MOST_BYTES


def test_both_layers_hold_the_same(layers: dict[str, Path]) -> None:
    """So that what is shown for one of them holds for the other, which may not run here."""
    assert _names(layers["arm64"]) == _names(layers["x86_64"])


@pytest.mark.parametrize("architecture", build.MACHINES)
def test_every_binary_is_for_the_architecture(layers: dict[str, Path], architecture: str) -> None:
    binaries = [path for path in layers[architecture].rglob("*") if ".so" in path.suffixes]
    assert len(binaries) > 20
    machines = {int.from_bytes(path.read_bytes()[18:20], "little") for path in binaries}
    assert machines == {ELF[architecture]}


def test_every_handler_imports_with_nothing_but_the_layers_and_the_runtime(
    layers: dict[str, Path], tmp_path: Path
) -> None:
    python = pythons.find(build.PYTHON)
    if python is None:
        pytest.skip(f"there is no Python {build.PYTHON} here: {pythons.variable(build.PYTHON)}")
    for name in RUNTIME:
        (tmp_path / name).symlink_to(Path(get_path("purelib")) / name)
    of_this_machine = {machine: name for name, machine in build.MACHINES.items()}
    layer = layers[of_this_machine[platform.machine()]]
    paths = [str(path) for path in (ROOT / "lambdas", LIBRARY, layer, tmp_path)]
    handlers = sorted(path.stem for path in (ROOT / "lambdas").glob("[!_]*.py"))
    adapters = [path.relative_to(LIBRARY).with_suffix("") for path in LIBRARY.rglob("aws.py")]
    modules = [*handlers, *(".".join(path.parts) for path in adapters)]
    code = (
        f"import sys, importlib; sys.path[:0] = {paths!r}\n"
        f"for name in {modules!r}: importlib.import_module(name)"
    )
    done = subprocess.run(
        [python, "-I", "-S", "-B", "-c", code], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def _names(packages: Path) -> set[str]:
    """Paths without the architecture's name and without the hash in a bundled library's."""
    spelled = (str(path.relative_to(packages)) for path in packages.rglob("*"))
    machine = re.compile("|".join([*build.MACHINES.values(), "(?<=-)[0-9a-f]{8}(?=[.-])"]))
    return {machine.sub("*", name) for name in spelled}
