"""meshwallet as a user runs it; nothing is on a terminal unless a test says so."""

import io
import json
import os
import pty
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from meshchain.rpc.client.commandline import run
from wallet.main import program

PROGRAM = ("-m", "wallet.main")
NOWHERE = "http://127.0.0.1:9"
"""The discard port: nobody listens there."""
DEADLINE = 60.0
"""Seconds after which a command counts as hanging."""


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON document on stdout."""
        document = json.loads(self.out)
        assert isinstance(document, dict)
        return document

    @property
    def error(self) -> tuple[int, str]:
        """Exit code and error code of a command that was run with --json."""
        return self.code, self.document["error"]["code"]


def environment(folder: Path, **more: str) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("MESH_")}
    return {**kept, "HOME": str(folder), "COLUMNS": "200", **more}


def process(folder: Path, *args: str, rpc: str = NOWHERE, **env: str) -> Ended:
    """Run a command on the dev network with ``folder`` as datadir, in a process without a terminal."""
    command = [sys.executable, *PROGRAM, *_common(folder, rpc), *args]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        env=environment(folder, **env),
        check=False,
        stdin=subprocess.DEVNULL,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def meshwallet(folder: Path, *args: str, stdin: str = "", rpc: str = NOWHERE, **env: str) -> Ended:
    """The same inside this process, which is a good deal quicker; stdin is a file with the text ``stdin``."""
    out, err = io.StringIO(), io.StringIO()
    with tempfile.TemporaryFile("w+") as given, ExitStack() as stack:
        given.write(stdin)
        given.seek(0)
        stack.enter_context(mock.patch.dict(os.environ, environment(folder, **env), clear=True))
        stack.enter_context(mock.patch.object(sys, "stdin", given))
        stack.enter_context(redirect_stdout(out))
        stack.enter_context(redirect_stderr(err))
        code = run(program, [*_common(folder, rpc), *args])
    return Ended(code, out.getvalue(), err.getvalue())


def _common(folder: Path, rpc: str) -> list[str]:
    return ["--network", "dev", "--datadir", str(folder), "--rpc", rpc]


def on_terminal(folder: Path, args: Sequence[str], answers: Sequence[tuple[str, str]], rpc: str = NOWHERE) -> Ended:
    """Run a command with stdin and stderr on a terminal; ``answers``: (text to wait for, what is typed then)."""
    master, slave = pty.openpty()
    command = [sys.executable, *PROGRAM, *_common(folder, rpc), *args]
    running = subprocess.Popen(
        command, stdin=slave, stdout=subprocess.PIPE, stderr=slave, env=environment(folder), start_new_session=True
    )
    os.close(slave)
    shown = ""
    for expected, typed in answers:
        shown = _read_until(master, shown, expected)
        os.write(master, typed.encode() + b"\n")
        shown = shown.replace(expected, "…", 1)
    out = running.communicate(timeout=DEADLINE)[0].decode()
    shown += _rest(master)
    os.close(master)
    return Ended(running.returncode, out, shown)


def _read_until(master: int, shown: str, expected: str) -> str:
    end = time.monotonic() + DEADLINE
    while expected not in shown:
        ready = select.select([master], [], [], max(0.0, end - time.monotonic()))[0]
        assert ready, f"{expected!r} never came: {shown!r}"
        shown += os.read(master, 4096).decode()
    return shown


def _rest(master: int) -> str:
    rest = b""
    try:
        while select.select([master], [], [], 0)[0] and (chunk := os.read(master, 4096)):
            rest += chunk
    except OSError:  # Linux reports EIO once the other side is closed
        pass
    return rest.decode()
