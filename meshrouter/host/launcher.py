"""A small process that keeps the right to make networks, so that the node need not: it starts the router, when asked.

Theory of operation
-------------------
The node reads what strangers send it about the ledger, serves HTTP and DNS, and runs for months; it should have no
rights. The router needs two (CAP_NET_ADMIN, CAP_NET_RAW), also when it is started a second time. So before trio, before
threads, and before rights are dropped, ``start_launcher`` forks::

    node ---- control (socketpair) ---- launcher ----- starts ----> router
      \\                                                              /
       +------------------ channel (socketpair, one per router) -----+

The launcher keeps these two rights and passes no other on; the node then drops all (``drop_rights``), or all but that
to listen below port 1024. Asked for a router (``open_channel``), it ends the one before, makes a socketpair, gives one
end to the new router (``--fd N``) and the other one to the node. When a router dies, the node sees the end of its
channel, and asks for the next when it sees fit; the answer then says how the last one ended. The end of the control
socket ends the launcher; its router ends by the end of its own channel, or, if it hangs, by SIGKILL.

The first router is started before anybody asks: it loads its code (0.4 s of a core) while the node loads its own and
opens the ledger (1 s), and waits for its first message. Most of a node's start is that, so it is done side by side.

Ctrl-C reaches every process of a terminal: the launcher ignores it, and ends with the node.
Unprivileged, everything is the same, but there is nothing to keep.
"""

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from meshrouter.errors import LocalError
from meshrouter.host import capabilities

END_TIME: Final = 5.0
"""Seconds that a router has for ending by itself."""
NICE: Final = -6
"""Of the routers, where we may. Before other work of this host, but not by much: at −10 the programs that packets are
for came too late to take them from their sockets, and lost what all routers had carried (measured: 26,000 datagrams a
second over two hops without loss, against 12,000)."""
_MOST_LINE: Final = 4096
_COMMAND: Final = (sys.executable, "-m", "meshrouter")
_START: Final = b"start"


@dataclass(frozen=True, slots=True)
class Started:
    """A router: its process, our end of its channel, and how the one before ended (exit code, −signal; None: none)."""

    pid: int
    channel: socket.socket
    last: int | None


class Launcher:
    """The node's end of the control socket."""

    def __init__(self, control: socket.socket, pid: int) -> None:
        self._control = control
        self.pid = pid

    def open_channel(self) -> Started:
        """Start a router, and end the one before; blocks for that (END_TIME at most). LocalError (launcher)."""
        try:
            self._control.send(_START)
            line, files, _, _ = socket.recv_fds(self._control, _MOST_LINE, 1)
        except OSError as error:
            raise LocalError("launcher", f"the process that starts routers is lost: {error.strerror}") from None
        if not line:
            raise LocalError("launcher", "the process that starts routers has ended; restart the node")
        form: dict[str, Any] = json.loads(line)
        if not files:
            raise LocalError("launcher", str(form.get("failed")))
        return Started(form["pid"], socket.socket(fileno=files[0]), form["last"])

    def close(self) -> None:
        """Ends the launcher and its router; waits for that."""
        self._control.close()
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)


def start_launcher(command: Sequence[str] = _COMMAND, *, tun: bool = False) -> Launcher:
    """Fork it. To be called before any thread exists. ``command`` is given ``--fd N``, and ``--tun`` if one will be
    wanted."""
    if tun:
        command = (*command, "--tun")
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            ours.close()
            _Routers(theirs, command).run()
            status = 0
        finally:
            os._exit(status)  # nothing of the node's own clean-up must run here
    theirs.close()
    return Launcher(ours, pid)


def drop_rights(kept: Sequence[int] = ()) -> None:
    """The node's part, after start_launcher: it keeps ``kept``, for itself only. LocalError (capabilities)."""
    if capabilities.effective():
        capabilities.keep_only(kept, inherit=False)


class _Routers:
    """The launcher's own life."""

    def __init__(self, control: socket.socket, command: Sequence[str]) -> None:
        self._control = control
        self._command = command
        self._router: subprocess.Popen[bytes] | None = None
        self._waiting: socket.socket | None = None
        """The node's end of the channel of a router that nobody has asked for yet."""
        self._last: int | None = None

    def run(self) -> None:
        """Until the node ends."""
        for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(each, signal.SIG_IGN)
        _be_quick()
        _keep_two_rights()
        with contextlib.suppress(OSError):  # the node hears of it when it asks
            self._begin()
        while self._next() == _START:
            self._answer()
        self._end()

    def _next(self) -> bytes:
        """What the node says next; a router that dies meanwhile is buried."""
        while True:
            deaths = [] if self._router is None else [os.pidfd_open(self._router.pid)]
            control = self._control.fileno()
            ready = select.select([control, *deaths], [], [])[0]
            for each in deaths:
                os.close(each)
            if control in ready:
                return self._control.recv(_MOST_LINE)
            self._bury()

    def _bury(self) -> None:
        if self._router is not None:
            self._last, self._router = self._router.wait(), None
        if self._waiting is not None:
            self._waiting.close()
            self._waiting = None

    def _end(self) -> None:
        """Its channel has ended, and so should it."""
        if self._router is None:
            return
        if self._waiting is not None:
            self._waiting.close()
        try:
            self._router.wait(END_TIME)
        except subprocess.TimeoutExpired:
            self._router.kill()
        self._bury()

    def _begin(self) -> None:
        """Start a router, which waits. OSError."""
        self._waiting, routers_end = socket.socketpair()
        with routers_end:
            number = routers_end.fileno()
            self._router = subprocess.Popen(
                [*self._command, "--fd", str(number)], pass_fds=[number], preexec_fn=_hear_signals
            )

    def _answer(self) -> None:
        """Give a router away: the one that waits, or another."""
        with contextlib.suppress(BrokenPipeError):
            try:
                if self._router is None or self._waiting is None:
                    self._end()
                    self._begin()
            except OSError as error:
                self._control.send(json.dumps({"failed": f"cannot start a router: {error}"}).encode())
                return
            self._give()

    def _give(self) -> None:
        if self._router is None or self._waiting is None:
            return
        said = json.dumps({"pid": self._router.pid, "last": self._last}).encode()
        with self._waiting as nodes_end:
            self._waiting = None
            socket.send_fds(self._control, [said], [nodes_end.fileno()])


def _hear_signals() -> None:
    """SIGTERM ends a router; what is ignored stays ignored over exec."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _be_quick() -> None:
    """A packet that waits for the scheduler is late on every hop; a router that has nothing to carry takes no time."""
    with contextlib.suppress(OSError):  # without CAP_SYS_NICE it is like any other process
        os.setpriority(os.PRIO_PROCESS, 0, NICE)


def _keep_two_rights() -> None:
    if capabilities.effective():
        try:
            capabilities.keep_only(capabilities.ROUTER, inherit=True)
        except LocalError as error:
            sys.stderr.write(f"{error.message}\n")  # it has too many rights, then; better than no router
