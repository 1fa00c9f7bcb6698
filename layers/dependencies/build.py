"""Build the Lambda layer of third-party packages into `build/`, from wheels, without Docker.

    python layers/dependencies/build.py

Nothing is done when the layer is there already and its pins have not changed. What functions never
load (headers, sources, tests, Flight) is left out: Lambda takes 250 MB, all layers
and the code together.
"""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
REQUIREMENTS = HERE / "requirements.txt"
BUILD = HERE / "build"
STAMP = ".built-from"

# What stacks/stage.py deploys to: this runtime, on Graviton, on Amazon Linux 2023 (glibc 2.34).
PYTHON = "3.13"
PLATFORMS = ("manylinux_2_28_aarch64", "manylinux_2_27_aarch64", "manylinux_2_17_aarch64")
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


def main() -> None:
    """Exits with 1 and one sentence when the layer cannot be built."""
    try:
        built = build(BUILD)
    except NotBuilt as error:
        sys.exit(str(error))
    sys.stdout.write(f"{'Built' if built else 'Already built'}: {BUILD}\n")


def build(target: Path) -> bool:
    """Make the layer in `target`; False when it is there already. Raises NotBuilt."""
    stamp = target / STAMP
    wanted = _recipe()
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return False
    # Built beside its place and moved there as a whole: half a layer is never found.
    draft = target.with_name(f"{target.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    try:
        _fill(draft)
        (draft / STAMP).write_text(wanted, encoding="utf-8")
        shutil.rmtree(target, ignore_errors=True)
        draft.rename(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return True


def _fill(layer: Path) -> None:
    packages = layer / "python"
    _install(packages)
    for path in unused(packages):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    _require_size(layer)


def unused(packages: Path) -> Iterator[Path]:
    """What is in `packages` though no function needs it."""
    for pattern in UNUSED:
        # The inner ones first, so that a folder is still there when its turn comes.
        yield from sorted(packages.glob(pattern), reverse=True)


def _recipe() -> str:
    """Changes whenever the layer must be built anew."""
    parts = (REQUIREMENTS.read_bytes(), Path(__file__).read_bytes())
    return hashlib.sha256(b"\n".join(parts)).hexdigest()


def _install(packages: Path) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--no-compile", "--only-binary", ":all:", "--target", str(packages)]
    command += ["--implementation", "cp", "--python-version", PYTHON]
    # Some releases of pip hold what they install against their own Python, not the one asked for;
    # the wheels' tags already say which Python they are for.
    command += ["--ignore-requires-python"]
    for platform in PLATFORMS:
        command += ["--platform", platform]
    done = subprocess.run(  # noqa: S603 (every word of the command is written above)
        [*command, "--requirement", str(REQUIREMENTS)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or "pip said nothing").splitlines()[-1]
        raise NotBuilt(
            f"pip could not fetch the packages of the Lambda layer ({last}). "
            "See that a package index can be reached, then run this again."
        )


def _require_size(folder: Path) -> None:
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    if size > LIMIT_BYTES:
        raise NotBuilt(
            f"The Lambda layer has {size} bytes unpacked, more than {LIMIT_BYTES}. "
            "Add to UNUSED what the functions do not load."
        )


if __name__ == "__main__":
    main()
