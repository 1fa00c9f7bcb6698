"""A local cloud as a process: start it, talk to it, stop it."""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Self

import boto3
from botocore.config import Config

from cloudspend.errors import Defect, UsageError

ROOT = Path(__file__).resolve().parents[1]
HOST = "127.0.0.1"
PLATFORM_ACCOUNT = "000000000000"
REGION = "us-east-1"

_ANSWER_SECONDS = 60.0
# A busy machine answers late, and what is asked again after that is done twice.
_PATIENT = Config(read_timeout=600)
_START_SECONDS = 60.0
_STOP_SECONDS = 15.0
_POLL_SECONDS = 0.05
_LOG_LINES = 15
# An account's root may sign with any secret here.
_ANY = "test"
# What the server and its Lambda functions inherit: nothing of AWS, so that no call can leave.
_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "SYSTEMROOT")

# Servers that this process left in the background. Kept, since a child must be waited for by its
# parent if that should end it too, and Python warns of a forgotten one.
_background: "dict[int, subprocess.Popen[bytes]]" = {}


class LocalSession(boto3.Session):
    """A session whose clients and resources go to one local cloud, not to those of the environment.

    An endpoint given by name takes precedence over AWS_ENDPOINT_URL, as everywhere in boto3.
    """

    endpoint = ""

    def client(self, *args: Any, **kwargs: Any) -> Any:
        return super().client(*args, **self._local(kwargs))

    def resource(self, *args: Any, **kwargs: Any) -> Any:
        return super().resource(*args, **self._local(kwargs))

    def _local(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        return {
            **kwargs,
            "endpoint_url": kwargs.get("endpoint_url") or self.endpoint,
            "config": _PATIENT.merge(kwargs.get("config") or Config()),
        }


class LocalCloud:
    """A running local cloud. `start` runs one, `attach` finds one that runs in the background.

    As a context manager it ends with the block.
    """

    def __init__(self, port: int, state_dir: Path, *, keep_state: bool = True) -> None:
        self.port = port
        self.state_dir = state_dir
        self._keep_state = keep_state
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    def start(
        cls, port: int | None = None, state_dir: Path | None = None, background: bool = False
    ) -> Self:
        """Run a server on `port` (default: a free one) and wait until it answers.

        `background` lets it outlive this process. Without `state_dir` its files are temporary.
        Raises UsageError when the port is taken, Defect when the server does not come up.
        """
        port = port or _free_port()
        if _answers(port):
            raise UsageError(
                f"Port {port} is taken.",
                remedy="Choose another with CLOUDSPEND_LOCAL_PORT, or end what uses it.",
            )
        keep = state_dir is not None
        folder = state_dir or Path(tempfile.mkdtemp(prefix="cloudspend-local-"))
        folder.mkdir(parents=True, exist_ok=True)
        cloud = cls(port, folder, keep_state=keep)
        cloud._run(background)
        return cloud

    @classmethod
    def attach(cls, port: int, state_dir: Path) -> Self | None:
        """The local cloud that `up` left running on `port`, or None."""
        cloud = cls(port, state_dir)
        if not cloud.pid_file.exists() or not _answers(port):
            return None
        running = int(cloud.pid_file.read_text())
        return cloud if cloud.control("status")["pid"] == running else None

    @property
    def endpoint(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def log_file(self) -> Path:
        return self.state_dir / "server.log"

    @property
    def pid_file(self) -> Path:
        return self.state_dir / "server.pid"

    def session(self, account_id: str = PLATFORM_ACCOUNT, region: str = REGION) -> LocalSession:
        """A session as the root of `account_id`: here its access key id is the account's id."""
        session = LocalSession(
            aws_access_key_id=account_id, aws_secret_access_key=_ANY, region_name=region
        )
        session.endpoint = self.endpoint
        return session

    def environment(self, account_id: str = PLATFORM_ACCOUNT) -> dict[str, str]:
        """The variables that point any AWS tool at this cloud, as `account_id`."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": account_id,
            "AWS_SECRET_ACCESS_KEY": _ANY,
            "AWS_DEFAULT_REGION": REGION,
        }

    def control(self, name: str, payload: Any = None, method: str | None = None) -> Any:
        """Open `/_local/<name>`: GET, or PUT of `payload` as JSON. Raises Defect when refused."""
        body = None if payload is None else json.dumps(payload)
        status, answer = self._request(
            method or ("GET" if body is None else "PUT"), f"/_local/{name}", body
        )
        if status >= 400:
            raise Defect(f"The local cloud refused /_local/{name}: {answer.decode()}")
        return json.loads(answer)

    def stop(self) -> None:
        """End the server and wait for its end; temporary files go with it."""
        if self._process:
            self._process.terminate()
            self._wait_for_end(self._process)
        elif self.pid_file.exists():
            self._end_background(int(self.pid_file.read_text()))
        self.pid_file.unlink(missing_ok=True)
        if not self._keep_state:
            shutil.rmtree(self.state_dir, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _run(self, background: bool) -> None:
        with self.log_file.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "local.cloud"],
                cwd=ROOT,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=background,
            )
        self.pid_file.write_text(str(self._process.pid))
        try:
            self._wait_until_ready(self._process)
        except BaseException:
            self.stop()
            raise
        if background:
            _background[self._process.pid] = self._process
            self._process = None

    def _end_background(self, pid: int) -> None:
        ours = _background.pop(pid, None)
        if ours is None:
            _end(pid)
        else:
            ours.terminate()
            self._wait_for_end(ours)

    def _environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        temporary = self.state_dir / "tmp"
        temporary.mkdir(exist_ok=True)
        return kept | {
            "GATEWAY_PORT": str(self.port),
            "BIND_HOST": HOST,
            "AUTH": "true",
            "STATE_DIR": str(self.state_dir / "state"),
            "S3_DATA_DIR": str(self.state_dir / "s3"),
            "TMPDIR": str(temporary),
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "PYTHONDONTWRITEBYTECODE": "1",
            # A burst of events leaves as many processes of a function behind, of 100 MB each; all
            # but one of them go when they have had nothing to do for so long.
            "LAMBDA_WARM_TTL_SECONDS": "60",
        }

    def _wait_until_ready(self, process: "subprocess.Popen[bytes]") -> None:
        deadline = time.monotonic() + _START_SECONDS
        while not self._ready():
            if process.poll() is not None or time.monotonic() > deadline:
                raise Defect(
                    f"The local cloud did not start:\n{last_lines(self.log_file)}",
                    remedy="The text above is the end of its log.",
                )
            time.sleep(_POLL_SECONDS)

    def _ready(self) -> bool:
        try:
            return self._request("GET", "/_ministack/ready")[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    def _request(self, method: str, path: str, body: str | None = None) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=_ANSWER_SECONDS)
        try:
            connection.request(method, path, body)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    @staticmethod
    def _wait_for_end(process: "subprocess.Popen[bytes]") -> None:
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def last_lines(log: Path, count: int = _LOG_LINES) -> str:
    """The end of a log, for an error's sentence."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-count:])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


def _end(pid: int) -> None:
    """End a process that is not our child: ask it, wait, then force it."""
    if not _signal(pid, signal.SIGTERM):
        return
    deadline = time.monotonic() + _STOP_SECONDS
    while _signal(pid, 0):
        if time.monotonic() > deadline:
            _signal(pid, signal.SIGKILL)
            return
        time.sleep(_POLL_SECONDS)


def _signal(pid: int, number: int) -> bool:
    """False when there is no such process (any more)."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True
