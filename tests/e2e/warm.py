"""The command `cloudspend` without its start, which takes longer than most of what it does.

A server imports all that any command needs, and forks itself for each command, which has the
caller's arguments, environment, folder and standard streams. On the caller's PATH is a small
program that passes these on and ends as the command did. All after the start is the command's own.
"""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cloudspend.cli import main
from local.machine import ROOT

STREAMS = (0, 1, 2)
_LARGEST_CALL = 1 << 20

# Isolated and without site-packages, the interpreter starts in hundredths of a second.
CALLER = """#!{python} -IS
import json, os, socket, sys
with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as server:
    server.connect({address!r})
    call = {{"arguments": sys.argv[1:], "environment": dict(os.environ), "folder": os.getcwd()}}
    socket.send_fds(server, [json.dumps(call).encode()], [0, 1, 2])
    sys.exit(int(server.recv(16) or b"70"))
"""

# Not as a module: commands call themselves by what Python was started with.
SERVER = """
import socket, sys
from tests.e2e import warm
warm.serve(socket.socket(fileno=int(sys.argv[1])))
"""


@contextmanager
def command(folder: Path) -> Iterator[Path]:
    """A folder for PATH with `cloudspend` in it, while the block runs."""
    address, programs = folder / "warm", folder / "bin"
    programs.mkdir()
    caller = programs / "cloudspend"
    caller.write_text(CALLER.format(python=sys.executable, address=str(address)), encoding="utf-8")
    caller.chmod(0o755)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as door:
        door.bind(str(address))
        door.listen()
        server = subprocess.Popen(
            [sys.executable, "-c", SERVER, str(door.fileno())],
            cwd=ROOT,
            pass_fds=[door.fileno()],
        )
    try:
        yield programs
    finally:
        server.terminate()
        server.wait()


def serve(door: socket.socket) -> None:
    """Answer each call in a child of its own."""
    main.command_line()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # no one waits for them
    while True:
        caller, _ = door.accept()
        if os.fork() == 0:
            door.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            caller.send(str(_answer(caller)).encode())
            os._exit(0)
        caller.close()


def _answer(caller: socket.socket) -> int:
    """Run the command that is asked for; returns its exit code."""
    call, streams, *_ = socket.recv_fds(caller, _LARGEST_CALL, len(STREAMS))
    for given, stream in zip(streams, STREAMS, strict=True):
        os.dup2(given, stream)
    asked = json.loads(call)
    os.environ.clear()
    os.environ.update(asked["environment"])
    os.chdir(asked["folder"])
    sys.argv = ["cloudspend", *asked["arguments"]]
    try:
        main.run()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0
