"""The functions run on their layers alone: what is pinned there is all they import, and what the
build leaves out is not missed."""

import re
import shutil
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path
from sysconfig import get_path

import pytest

from layers.dependencies import build
from scripts import pythons

ROOT = Path(__file__).parents[3]
SITE = Path(get_path("platlib"))
HANDLERS = sorted(path.stem for path in (ROOT / "lambdas").glob("*.py") if path.stem != "__init__")
LIBRARY = ROOT / "layers" / "cloudspend" / "python"
# Imported where they are made (wiring.py), so that importing a handler does not show that they can.
ADAPTERS = sorted(
    ".".join(path.relative_to(LIBRARY).with_suffix("").parts) for path in LIBRARY.rglob("aws.py")
)
# What every Python runtime of Lambda brings.
RUNTIME = ("boto3", "botocore", "s3transfer", "dateutil", "urllib3", "six.py")


def pins(path: Path) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        name, equals, rest = line.partition("==")
        if equals and not name.startswith("#"):
            found.setdefault(name, set()).add(rest.split(" ;")[0].strip())
    return found


@pytest.fixture(scope="module")
def layer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The layer as it is built, but from this machine's packages."""
    packages = tmp_path_factory.mktemp("layer")
    wanted = {_normal(name) for name in pins(build.REQUIREMENTS)}
    for module, distributions in packages_distributions().items():
        if {_normal(name) for name in distributions} & wanted:
            _copy(module, packages)
    for libraries in SITE.glob("*.libs"):
        _copy(libraries.name, packages)
    for path in build.unused(packages):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return packages


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runtime")
    for name in RUNTIME:
        (folder / name).symlink_to(SITE / name)
    return folder


def test_the_layer_has_the_repositorys_versions() -> None:
    repository = pins(ROOT / "requirements.txt")
    for name, versions in pins(build.REQUIREMENTS).items():
        assert versions <= repository[name], name


def test_there_are_handlers() -> None:
    assert len(HANDLERS) == 29


def test_every_handler_imports_with_nothing_but_its_layers(layer: Path, runtime: Path) -> None:
    paths = [str(path) for path in (ROOT / "lambdas", LIBRARY, layer, runtime)]
    code = "; ".join(
        [
            "import sys, importlib",
            f"sys.path[:0] = {paths!r}",
            f"[importlib.import_module(name) for name in {ADAPTERS!r}]",
            f"found = [importlib.import_module(name).handler for name in {HANDLERS!r}]",
            "print(len(found))",
        ]
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert done.stdout.strip() == str(len(HANDLERS))


def test_what_is_left_out_is_most_of_the_weight_that_nobody_loads(layer: Path) -> None:
    assert not list(layer.glob("pyarrow/include"))
    assert not list(layer.rglob("tests"))
    assert not list(layer.glob("pyarrow/libarrow_flight*"))


def test_a_layer_that_is_there_is_not_built_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed: list[Path] = []

    def install(packages: Path, _architecture: str) -> None:
        packages.mkdir(parents=True)
        installed.append(packages)

    monkeypatch.setattr(build, "_install", install)
    target = tmp_path / "build"
    assert build.build(target)
    assert not build.build(target)
    assert (target / "python").is_dir()
    assert len(installed) == 1


def test_a_layer_that_cannot_be_fetched_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "build"
    target.mkdir()
    (target / "old").touch()
    failed = subprocess.CompletedProcess([], 1, "", "ERROR: no index\nERROR: nothing found")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(build.NotBuilt, match=r"nothing found.*package index"):
        build.build(target)
    assert [path.name for path in tmp_path.iterdir()] == ["build"]
    assert (target / "old").exists()


def test_a_layer_that_lambda_would_refuse_is_refused_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def install(packages: Path, _architecture: str) -> None:
        packages.mkdir(parents=True)
        (packages / "large").write_bytes(b"12345")

    monkeypatch.setattr(build, "_install", install)
    monkeypatch.setattr(build, "LIMIT_BYTES", 4)
    with pytest.raises(build.NotBuilt, match="5 bytes"):
        build.build(tmp_path / "build")


def test_a_layer_is_built_anew_for_another_architecture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def install(packages: Path, architecture: str) -> None:
        packages.mkdir(parents=True)
        asked.append(architecture)

    monkeypatch.setattr(build, "_install", install)
    for architecture in ("arm64", "x86_64", "x86_64"):
        build.build(tmp_path / "build", architecture)
    assert asked == ["arm64", "x86_64"]
    with pytest.raises(build.NotBuilt, match="no architecture sparc"):
        build.build(tmp_path / "build", "sparc")


def test_bytecode_is_put_in_where_the_runtimes_python_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def install(packages: Path, _architecture: str) -> None:
        packages.mkdir(parents=True)
        (packages / "module.py").write_text("NAME = 1\n", encoding="utf-8")

    monkeypatch.setattr(build, "_install", install)
    for found in (None, sys.executable):
        monkeypatch.setattr(pythons, "find", lambda _version, found=found: found)
        assert build.build(tmp_path / "build")
        compiled = list((tmp_path / "build").rglob("*.pyc"))
        assert bool(compiled) == bool(found)
    # The second word of bytecode says how it is held against its source: 1 is never (PEP 552).
    assert compiled[0].read_bytes()[4:8] == b"\1\0\0\0"


def test_a_python_that_cannot_compile_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def install(packages: Path, _architecture: str) -> None:
        packages.mkdir(parents=True)
        (packages / "module.py").write_text("NAME =", encoding="utf-8")

    monkeypatch.setattr(build, "_install", install)
    monkeypatch.setattr(pythons, "find", lambda _version: sys.executable)
    with pytest.raises(build.NotBuilt, match=r"could not compile.*PYTHON313="):
        build.build(tmp_path / "build")


def _copy(name: str, target: Path) -> None:
    """Hard links, since the packages are large and only names are removed from the copy."""
    for source in (SITE / name, SITE / f"{name}.py"):
        if source.is_dir():
            shutil.copytree(source, target / source.name, copy_function=_link)
        elif source.is_file():
            _link(str(source), str(target / source.name))


def _link(source: str, target: str) -> None:
    try:
        Path(target).hardlink_to(source)
    except OSError:
        shutil.copy2(source, target)


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
