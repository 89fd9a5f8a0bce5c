"""One of the two hosts: its node, the servers that run there, and the commands that are typed there."""

import json
import os
import shlex
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from examples.first_name import programs, screen

PATIENCE: Final = 60.0
"""Seconds after which a condition counts as never coming true."""
_END_TIME: Final = 10.0


class FailedError(Exception):
    """A step did not do what it should. ``host``: the log of its node may say why."""

    def __init__(self, host: "Host", what: str) -> None:
        super().__init__(what)
        self.host = host


@dataclass(eq=False)
class Host:
    """``folder``: of its node's data and its logs; it exists. ``options``: of its meshd, beside ``--rpc``.

    ``prefix``: what makes a command run there, where it is not this very machine. ``dig``: words that make dig ask this
    host's node; ``outside``: those for a terminal of this machine. ``proxy``: HOST:PORT of its node's proxy.
    """

    name: str
    folder: Path
    rpc: str
    options: Sequence[str]
    prefix: Sequence[str] = ()
    dig: Sequence[str] = ()
    outside: Sequence[str] = ()
    proxy: str = ""
    _started: "list[subprocess.Popen[bytes]]" = field(default_factory=list)

    @property
    def settings(self) -> dict[str, str]:
        """By which the clients find this host's node."""
        return {"MESH_NETWORK": "dev", "MESH_DATADIR": str(self.folder), "MESH_RPC": f"http://{self.rpc}/"}

    @property
    def log(self) -> Path:
        return self.folder / "meshd.log"

    @property
    def running(self) -> bool:
        """Whether all that was started here goes on."""
        return all([process.poll() is None for process in self._started])  # noqa: C419 - each is to be polled

    @property
    def was_stopped(self) -> bool:
        """Whether what has ended here ended as asked to."""
        return all(process.returncode in (None, 0) for process in self._started)

    def start_node(self) -> None:
        """It answers when this returns."""
        words = ("meshd", "--network", "dev", "--rpc", self.rpc, *self.options)
        screen.typed(self.name, (*words, "&"))
        with self.log.open("wb") as log:
            self._start(words, subprocess.DEVNULL, log.fileno())
        screen.typed(self.name, ("meshctl", "wait"))
        screen.said(self.until("meshctl", "wait", "--timeout", "1", what="the node answers", beside=self).strip())
        if not self.running:  # and another node has answered
            raise FailedError(self, "its node has ended")

    def serve(self, *words: str) -> str:
        """A server that goes on; the line it prints once it can be reached."""
        screen.typed(self.name, (*words, "&"))
        file = self.folder / "server.log"
        with file.open("wb") as log:
            process = self._start(words, subprocess.PIPE, log.fileno())
        assert process.stdout is not None
        with process.stdout as stream:
            line = stream.readline().decode().strip()
        if not line:
            raise FailedError(self, f"the server ended:\n  {file.read_text(errors='replace').strip()}")
        screen.said(line)
        return line

    def open_door(self, sockets: Mapping[socket.socket, int]) -> None:
        """Carry what comes to sockets of this machine to ports of the host's loopback (``door``)."""
        doors = [f"{each.fileno()}:{port}" for each, port in sockets.items()]
        with (self.folder / "door.log").open("wb") as log:
            words = ("python", "-m", "examples.first_name.door", *doors)
            self._start(words, subprocess.DEVNULL, log.fileno(), [each.fileno() for each in sockets])

    def type(self, *words: str, silent: bool = False) -> None:
        """Show a command, and what it prints as it comes; FailedError if it fails.

        ``silent``: what it says on standard error is shown only then.
        """
        screen.typed(self.name, words)
        self._done(words, None, subprocess.PIPE if silent else None)

    def answer(self, *words: str, expected: str = "") -> str:
        """Show a command and its output, which is also returned; FailedError if that has no ``expected`` in it."""
        screen.typed(self.name, words)
        found = self._done(words, subprocess.PIPE, subprocess.PIPE)
        screen.said(found.strip())
        if expected not in found:
            raise FailedError(self, f"`{shlex.join(words)}` has no {expected!r} in its answer")
        return found

    def json(self, *words: str) -> Any:  # noqa: ANN401 - any JSON
        """What a client says with ``--json``, unseen."""
        return json.loads(self._done((*words, "--json"), subprocess.PIPE, subprocess.PIPE))

    def holds(self, address: str) -> bool:
        """Whether a network device there has that address."""
        return address in self._done(("ip", "-o", "-6", "address", "show", "to", address), subprocess.PIPE, None)

    def until(self, *words: str, what: str, beside: "Host") -> str:
        """Try, unseen, until a command succeeds; its output.

        ``what``: that which is then so. ``beside``: who is needed, too.
        """
        end = time.monotonic() + PATIENCE
        while (done := self._run(words, subprocess.PIPE, subprocess.PIPE)).returncode != 0:
            for host in (self, beside):
                if not host.running:
                    raise FailedError(host, f"a program there has ended before this was so: {what}")
            if time.monotonic() > end:
                raise FailedError(self, f"{PATIENCE:.0f} s were not enough for this: {what}. {done.stderr.strip()}")
            time.sleep(0.1)
        return done.stdout

    def stop(self) -> None:
        """Everything that was started here: politely, then not."""
        for process in self._started:
            process.terminate()
        for process in self._started:
            try:
                process.wait(_END_TIME)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def write_script(self, file: Path) -> None:
        """A program that runs its arguments on this host, or a shell if there are none."""
        settings = {**self.settings, "PATH": programs.SEARCH}
        words = shlex.join([*self.prefix, "env", *(f"{key}={value}" for key, value in settings.items())])
        file.write_text(f'#!/bin/sh\n[ $# -gt 0 ] || set -- "${{SHELL:-/bin/sh}}"\nexec {words} "$@"\n')
        file.chmod(0o755)

    def _done(self, words: Sequence[str], out: int | None, errors: int | None) -> str:
        done = self._run(words, out, errors)
        if done.returncode != 0:
            said = (done.stderr or "").strip()
            raise FailedError(self, f"`{shlex.join(words)}` ended with exit code {done.returncode}. {said}")
        return done.stdout or ""

    def _run(self, words: Sequence[str], out: int | None, errors: int | None) -> "subprocess.CompletedProcess[str]":
        return programs.run([*self.prefix, *words], self.settings, out, errors)

    def _start(
        self, words: Sequence[str], out: int, errors: int, sockets: Sequence[int] = ()
    ) -> "subprocess.Popen[bytes]":
        process = programs.start([*self.prefix, *words], self.settings, out, errors, sockets)
        self._started.append(process)
        return process


@dataclass(frozen=True)
class Pair:
    """Both hosts. ``tun``: whether ordinary programs reach the mesh there."""

    alice: Host
    bob: Host
    tun: bool

    def wait(self) -> Host:
        """Until something that was started ends; the host where it was."""
        while self.alice.running and self.bob.running:
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
        return self.bob if self.alice.running else self.alice
