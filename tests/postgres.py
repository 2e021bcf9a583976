"""A PostgreSQL server for the tests: from the machine's packages, on a free port, in a temporary folder."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg

_SETTINGS = {
    "fsync": "off",  # the machine does not lose power in a test
    "listen_addresses": "127.0.0.1",
    "max_connections": "60",
    "shared_buffers": "16MB",
}


@contextlib.contextmanager
def running_postgres() -> Iterator[str]:
    """The URL of a server's database `postgres`, which tests may make others beside."""
    binaries = _binaries()
    user = _other_user()
    # Not pytest's folder: that one is closed to the user whom the server runs as.
    with tempfile.TemporaryDirectory(prefix="anymask-postgres-", ignore_cleanup_errors=True) as folder:
        data = Path(folder) / "data"
        if user is not None:
            shutil.chown(folder, user)
        _initialise(binaries, data, user)
        port = _free_port()
        with (Path(folder) / "log").open("wb") as log:
            options = [f"-c{name}={value}" for name, value in _SETTINGS.items()]
            server = subprocess.Popen(
                [binaries / "postgres", "-D", data, "-p", str(port), "-k", folder, *options],
                stdout=log,
                stderr=log,
                user=user,
                cwd=folder,
                # Ctrl-C goes to the tests alone, which then end the server.
                start_new_session=True,
            )
        try:
            _wait(server, port, Path(folder) / "log")
            yield f"postgresql://tester@127.0.0.1:{port}/postgres"
        finally:
            server.send_signal(signal.SIGINT)  # at once; SIGTERM would wait for open connections
            server.wait(60)


def _binaries() -> Path:
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    assert versions, "PostgreSQL's initdb is not on this machine; install it: apt-get install postgresql"
    return versions[-1].parent


def _other_user() -> str | None:
    """PostgreSQL refuses to run as root."""
    if os.getuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _initialise(binaries: Path, data: Path, user: str | None) -> None:
    command = [binaries / "initdb", "-D", data, "-U", "tester", "-A", "trust", "-E", "UTF8", "--no-sync"]
    done = subprocess.run(
        # A locale that does not sort by bytes, as on most servers.
        [*command, "--locale-provider=icu", "--icu-locale=en", "--locale=C"],
        capture_output=True,
        user=user,
        cwd=data.parent,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr.decode()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _wait(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + 60
    while True:
        assert server.poll() is None, log.read_text()
        try:
            psycopg.connect(f"postgresql://tester@127.0.0.1:{port}/postgres").close()
            return
        except psycopg.OperationalError:
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.05)
