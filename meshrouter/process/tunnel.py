"""The TUN, ``lo2`` and the host's addresses, kept for as long as the router runs.

Theory of operation
-------------------
The devices are opened here; addresses, routes and the packet filter are the work of ``python -m meshrouter.host``,
which runs beside the loop and ends. While it runs, a new wish (another claimed address) waits; the last one counts.
What fails is an *alarm*, a code and a sentence for people; the router goes on without a TUN and tries again, less and
less often, since the other node may stop, or somebody grant the right. A TUN deleted under us is made again.

``lo2`` held open is how nodes of one namespace see each other: the kernel lets one process have it. So it is opened
first, and who does not get it gets no TUN either.
"""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any, Final

from meshrouter.counters import Counters
from meshrouter.errors import LocalError
from meshrouter.host.plan import IDLE_DEVICE, HostPlan
from meshrouter.process.poller import Poller
from meshrouter.tun.device import IdleTun, TunDevice
from meshrouter.tun.mld import GENERAL_QUERY

FIRST_RETRY: Final = 1.0
"""Seconds until what failed is tried again; doubled every time …"""
LAST_RETRY: Final = 32.0
"""… up to this: a set-up takes half a second of a core."""
NO_OFFLOAD: Final = bytes(10)
"""A virtio_net_hdr that says nothing."""
_NEVER: Final = float("inf")
_READ: Final = 65_536
_TAKEN: Final = "another node of this host has the mesh already; only one can, run this with --tun off"


class Tunnel:
    """``packets(list, now)`` gets what comes out of the TUN; ``changed()`` is called when device or alarms change;
    ``ahead`` is a worker that waits for its plan (``start_worker``)."""

    def __init__(
        self,
        plan: HostPlan,
        *,
        poller: Poller,
        counters: Counters,
        packets: Callable[[list[tuple[bytes, bytes]], float], None],
        changed: Callable[[], None],
        ahead: "subprocess.Popen[bytes] | None" = None,
    ) -> None:
        self.plan = plan
        self.device: TunDevice | None = None
        self.alarms: list[LocalError] = []
        self._poller = poller
        self._counters = counters
        self._packets = packets
        self._changed = changed
        self._listening = False
        self._idle: IdleTun | None = None
        self._worker: subprocess.Popen[bytes] | None = None
        self._ahead = ahead
        self._answer = bytearray()
        self._stale = False
        self._due = 0.0
        self._retry = FIRST_RETRY

    def deadline(self) -> float:
        return self._due

    def tick(self, now: float) -> None:
        """Open what is not open yet."""
        if now < self._due:
            return
        self._due = _NEVER
        try:
            self._open()
        except LocalError as error:
            self._failed(error, now)
            return
        self._set_up()

    @property
    def settled(self) -> bool:
        """Whether it is known if there will be a mesh on this host."""
        return self._worker is None and self._due > 0.0

    @property
    def splits_udp(self) -> bool:
        """Whether there is a device whose kernel takes super-packets of UDP."""
        return self.device is not None and self.device.splits_udp

    def listen(self) -> None:
        """From now on packets are wanted; until then they wait in the kernel's queue."""
        self._listening = True
        if self.device is not None:
            self._poller.watch(self.device, self._readable)

    def claim(self, addresses: tuple[bytes, ...]) -> None:
        """Own claimed addresses (16 bytes each) as they are now."""
        if addresses == self.plan.claimed:
            return
        self.plan = HostPlan(self.plan.tun, self.plan.derived, addresses, self.plan.loopback)
        if self.device is not None:
            self._set_up()

    def write(self, packets: list[tuple[bytes, bytes]]) -> None:
        """To the kernel; what comes while there is no device is lost."""
        if self.device is not None:
            self.device.write(packets)

    def close(self, *, keep: bool) -> None:
        """``keep``: devices stay as they are for the next router; else the TUN goes, with its addresses and routes."""
        self._dismiss_ahead()
        if self._worker is not None:
            assert self._worker.stdout is not None
            self._worker.stdout.read()  # nobody wants it, but it is not to die of that
            self._end_worker(self._worker)
        if self.device is not None:
            self._poller.forget(self.device)
            self.device.close(keep=keep)
        if self._idle is not None:
            self._idle.close()
        self.device = self._idle = None
        self._due = _NEVER

    # --- devices ---------------------------------------------------------------------------------------------

    def _open(self) -> None:
        if self._idle is None and self.plan.loopback:
            try:
                self._idle = IdleTun(IDLE_DEVICE)
            except LocalError as error:
                raise LocalError("host-taken", _TAKEN) if error.code == "tun-busy" else error from None
        if self.device is None:
            self.device = TunDevice(self.plan.tun, self._counters)
            if self._listening:
                self._poller.watch(self.device, self._readable)

    def _readable(self, now: float) -> None:
        device = self.device
        if device is None:
            return
        try:
            got = device.receive()
        except LocalError as error:
            self._failed(error, now)
            return
        if got:
            self._packets(got, now)

    def _failed(self, error: LocalError, now: float) -> None:
        """Without a TUN until the next try."""
        self._dismiss_ahead()
        if self.device is not None:
            self._poller.forget(self.device)
            self.device.close(keep=False)
            self.device = None
        self.alarms = [error]
        self._due = now + self._retry
        self._retry = min(2 * self._retry, LAST_RETRY)
        self._changed()

    # --- addresses, routes, filter ---------------------------------------------------------------------------

    def _set_up(self) -> None:
        if self._worker is not None:
            self._stale = True
            return
        worker, self._ahead = self._ahead or start_worker(), None
        assert worker.stdin is not None
        assert worker.stdout is not None
        with contextlib.suppress(BrokenPipeError):  # it died; its silence is judged below
            worker.stdin.write(json.dumps(self.plan.to_json()).encode())  # far less than a pipe holds
            worker.stdin.close()
        self._worker, self._answer = worker, bytearray()
        self._poller.watch(worker.stdout, self._answered)

    def _dismiss_ahead(self) -> None:
        if self._ahead is not None:
            dismiss(self._ahead)
            self._ahead = None

    def _answered(self, now: float) -> None:
        worker = self._worker
        if worker is None or worker.stdout is None:
            return
        data = os.read(worker.stdout.fileno(), _READ)
        if data:
            self._answer += data
            return
        self._end_worker(worker)
        self._judge(now)
        if self._stale and self.device is not None:
            self._stale = False
            self._set_up()

    def _end_worker(self, worker: "subprocess.Popen[bytes]") -> None:
        """It has said all; or nobody listens any more, and what it does is done soon."""
        assert worker.stdout is not None
        self._poller.forget(worker.stdout)
        worker.stdout.close()
        worker.wait()
        self._worker = None

    def _judge(self, now: float) -> None:
        try:
            answer: dict[str, Any] = json.loads(self._answer)
            alarms = [LocalError(code, message) for code, message in answer["alarms"]]
            failed = None if answer["failed"] is None else LocalError(*answer["failed"])
        except (ValueError, KeyError, TypeError):
            alarms, failed = [], LocalError("host-failed", "the set-up of addresses and routes ended without an answer")
        if failed is not None:
            self._failed(failed, now)
            return
        self.alarms, self._retry = alarms, FIRST_RETRY
        self.write([(NO_OFFLOAD, GENERAL_QUERY)])  # what groups are joined already?
        self._changed()


def start_worker() -> "subprocess.Popen[bytes]":
    """It loads its code (a quarter of a second of a core), then waits for a plan."""
    return subprocess.Popen([sys.executable, "-m", "meshrouter.host"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def dismiss(worker: "subprocess.Popen[bytes]") -> None:
    """End a worker that has no plan yet."""
    worker.kill()
    worker.communicate()
