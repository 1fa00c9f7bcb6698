"""Try a folder of other people's SQL on a platform, and say which of it runs.

    python scripts/others_queries.py FOLDER [NAME=TEXT ...]

Asks the platform that the environment points to, as `cloudspend query` does. `${NAME}` in a file is
replaced by TEXT. Statements that need a view of another file are tried again once it is there. Ends
with 1 when a statement has not run.
"""

import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from cloudspend import wiring
from cloudspend.errors import CloudSpendError
from cloudspend.lake.query import run_query

PLACEHOLDER = re.compile(r"\$\{(\w+)\}")


def statement(text: str, values: Mapping[str, str]) -> str:
    """The file's only statement with its placeholders filled; an unknown one stays as it is."""
    filled = PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), text)
    return filled.strip().removesuffix(";")


def tried(
    files: Sequence[Path], values: Mapping[str, str]
) -> tuple[dict[str, int], dict[str, str]]:
    """The rows of each file that ran, and why the others did not."""
    queries = wiring.operator().queries
    ran: dict[str, int] = {}
    refused: dict[str, str] = {}
    waiting = list(files)
    while waiting:
        before, again = len(ran), []
        for file in waiting:
            try:
                result = run_query(queries, statement(file.read_text("utf-8"), values))
            except CloudSpendError as error:
                refused[file.name] = str(error)
                again.append(file)
            else:
                ran[file.name] = len(result.rows)
                refused.pop(file.name, None)
        if len(ran) == before:
            break
        waiting = again
    return ran, refused


def main(arguments: Sequence[str]) -> int:
    folder, *pairs = arguments
    values = dict(pair.split("=", 1) for pair in pairs)
    ran, refused = tried(sorted(Path(folder).rglob("*.sql")), values)
    for name, rows in sorted(ran.items()):
        sys.stdout.write(f"ran      {name}: {rows} rows\n")
    for name, why in sorted(refused.items()):
        sys.stdout.write(f"refused  {name}: {why.splitlines()[0]}\n")
    sys.stdout.write(f"{len(ran)} of {len(ran) + len(refused)} statements ran.\n")
    return 1 if refused or not ran else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
