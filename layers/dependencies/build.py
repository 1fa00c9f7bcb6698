"""Build the Lambda layer of third-party packages into `build/`, from wheels, without Docker.

    python -m layers.dependencies.build                 for what is deployed: Graviton
    python -m layers.dependencies.build FOLDER x86_64   for another architecture, elsewhere

Nothing is done when the layer is there already and its pins have not changed. What functions never
load (headers, sources, tests, Flight) is left out: Lambda takes 250 MB, all layers
and the code together. Bytecode is put in where a Python of the runtime's version is found: a
function cannot keep its own, and would compile every module at each cold start.
"""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from scripts import pythons

HERE = Path(__file__).resolve().parent
REQUIREMENTS = HERE / "requirements.txt"
BUILD = HERE / "build"
STAMP = ".built-from"

# What stacks/stage.py deploys to: this runtime, on Graviton, on Amazon Linux 2023 (glibc 2.34).
PYTHON = "3.13"
DEPLOYED = "arm64"
# Lambda's names of architectures, and those of wheels.
MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}
GLIBC = ("manylinux_2_28", "manylinux_2_27", "manylinux_2_17")
# Lambda's limit, less what CloudSpend's own code may ever need.
LIMIT_BYTES = 240 * 1024 * 1024

UNUSED = (
    "**/__pycache__",
    "**/tests",
    "bin",
    "numpy/**/*.a",
    "numpy/**/*.pyi",
    "numpy/_core/include",
    "numpy/f2py",
    "pyarrow/**/*.pxd",
    "pyarrow/**/*.pxi",
    "pyarrow/**/*.pyx",
    "pyarrow/_flight*",
    "pyarrow/_pyarrow_cpp_tests*",
    "pyarrow/_substrait*",
    "pyarrow/include",
    "pyarrow/includes",
    "pyarrow/libarrow_flight*",
    "pyarrow/libarrow_python_flight*",
    "pyarrow/src",
)


class NotBuilt(Exception):
    """The layer cannot be built; the text says why and what to do."""


def main(target: str = str(BUILD), architecture: str = DEPLOYED) -> None:
    """Exits with 1 and one sentence when the layer cannot be built."""
    try:
        built = build(Path(target), architecture)
    except NotBuilt as error:
        sys.exit(str(error))
    sys.stdout.write(f"{'Built' if built else 'Already built'}: {target}\n")


def build(target: Path, architecture: str = DEPLOYED) -> bool:
    """Make the layer in `target`; False when it is there already. Raises NotBuilt."""
    if architecture not in MACHINES:
        raise NotBuilt(f"Lambda has no architecture {architecture}. Name one of {[*MACHINES]}.")
    stamp = target / STAMP
    compiler = pythons.find(PYTHON)
    wanted = _recipe(architecture, compiled=compiler is not None)
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return False
    # Built next to its place and moved there as a whole: half a layer is never found.
    draft = target.with_name(f"{target.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    try:
        _fill(draft, architecture, compiler)
        (draft / STAMP).write_text(wanted, encoding="utf-8")
        shutil.rmtree(target, ignore_errors=True)
        draft.rename(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return True


def _fill(layer: Path, architecture: str, compiler: str | None) -> None:
    packages = layer / "python"
    _install(packages, architecture)
    for path in unused(packages):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    if compiler:
        _compile(packages, compiler)
    _require_size(layer)


def unused(packages: Path) -> Iterator[Path]:
    """Files of `packages` that no function needs."""
    for pattern in UNUSED:
        # The inner ones first, so that a folder is still there when its turn comes.
        yield from sorted(packages.glob(pattern), reverse=True)


def _recipe(architecture: str, *, compiled: bool) -> str:
    """Changes whenever the layer must be built again."""
    kind = f"{architecture} {'compiled' if compiled else 'plain'}".encode()
    parts = (kind, REQUIREMENTS.read_bytes(), Path(__file__).read_bytes())
    return hashlib.sha256(b"\n".join(parts)).hexdigest()


def _install(packages: Path, architecture: str) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--no-compile", "--only-binary", ":all:", "--target", str(packages)]
    command += ["--implementation", "cp", "--python-version", PYTHON]
    # Some releases of pip hold what they install against their own Python, not the one asked for;
    # the wheels' tags already say which Python they are for.
    command += ["--ignore-requires-python"]
    for glibc in GLIBC:
        command += ["--platform", f"{glibc}_{MACHINES[architecture]}"]
    done = subprocess.run(  # noqa: S603 (every word of the command is written above)
        [*command, "--requirement", str(REQUIREMENTS)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or "pip said nothing").splitlines()[-1]
        raise NotBuilt(
            f"pip could not fetch the packages of the Lambda layer ({last}). "
            "See that a package index can be reached, then run this again."
        )


def _compile(packages: Path, compiler: str) -> None:
    """Bytecode that is never held against its source, whose time changes on the way to Lambda."""
    command = [compiler, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    # Tracebacks show where Lambda has the layer.
    command += ["-s", str(packages), "-p", "/opt/python", str(packages)]
    done = subprocess.run(  # noqa: S603 (every word of the command is written above)
        command, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise NotBuilt(
            f"{compiler} could not compile the packages of the Lambda layer "
            f"({(done.stdout.strip() or 'it said nothing').splitlines()[-1]}). "
            f"Name another Python {PYTHON}: {pythons.variable(PYTHON)}=/path/to/python{PYTHON}."
        )


def size_of(folder: Path) -> int:
    """Bytes of all files, as Lambda counts them: unpacked."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _require_size(folder: Path) -> None:
    size = size_of(folder)
    if size > LIMIT_BYTES:
        raise NotBuilt(
            f"The Lambda layer has {size} bytes unpacked, more than {LIMIT_BYTES}. "
            "Add to UNUSED what the functions do not load."
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
