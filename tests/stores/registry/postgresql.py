"""A real PostgreSQL on a free port of the loopback, with a cluster of its own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg
from mosquitto import free_port
from requirement import require

PASSWORD = "made-up for this test"


class Postgresql:
    """A server to start and stop; it never runs as root, and nothing of it stays."""

    def __init__(self) -> None:
        programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
        found = shutil.which("postgres") or (str(programs[-1]) if programs else None)
        require(found, "postgres is not installed (Debian package postgresql)")
        self._bin = Path(str(found)).parent
        self._user = "postgres" if os.geteuid() == 0 else None
        self._folder = Path(tempfile.mkdtemp(prefix="gruenpuls-postgresql-"))
        if self._user:
            shutil.chown(self._folder, self._user, self._user)
        self.port = free_port()
        password = self._folder / "password"
        password.write_text(PASSWORD, encoding="utf-8")
        data = self._folder / "data"
        # Not the machine's language: the registry must not lean on the order of a collation.
        self._run(
            "initdb", "-D", data, "-U", "owner", f"--pwfile={password}", "-A", "scram-sha-256", "-E", "UTF8", "-N"
        )
        self._log = (self._folder / "log").open("wb")
        self._server = self._started(
            "postgres", "-D", data, "-p", self.port, "-k", self._folder, "-h", "127.0.0.1", "-F"
        )
        self._await()

    def url(self, database: str = "postgres", password: str = PASSWORD) -> str:
        """Return the URL of one of its databases."""
        return f"postgresql://owner:{password.replace(' ', '%20')}@127.0.0.1:{self.port}/{database}"

    def create(self, database: str) -> str:
        """Make a database; return its URL."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{database}"'.encode())
        return self.url(database)

    def stop(self) -> None:
        """Stop it at once, without writing back what nobody will read, and take its files away."""
        self._server.send_signal(signal.SIGQUIT)
        self._server.wait(60)
        self._log.close()
        shutil.rmtree(self._folder)

    def _run(self, program: str, *arguments: object) -> None:
        command = [str(self._bin / program), *map(str, arguments)]
        subprocess.run(command, user=self._user, cwd="/", check=True, capture_output=True)

    def _started(self, program: str, *arguments: object) -> subprocess.Popen[bytes]:
        command = [str(self._bin / program), *map(str, arguments)]
        return subprocess.Popen(command, user=self._user, cwd="/", stdout=self._log, stderr=self._log)

    def _await(self) -> None:
        until = time.monotonic() + 60
        while True:
            try:
                psycopg.connect(self.url(), connect_timeout=20).close()
            except psycopg.OperationalError:
                if time.monotonic() > until or self._server.poll() is not None:
                    raise
                time.sleep(0.05)
            else:
                return
