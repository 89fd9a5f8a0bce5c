"""Dialling: several addresses, patience, and waits that grow."""

import random
import socket
from collections.abc import Iterator

import pytest

from meshrouter.links.connections import LASTED, LONGEST_WAIT, Dialler
from meshrouter.links.ip import SockAddress
from meshrouter.links.resolver import Answer, Resolver
from meshrouter.links.specs import Kind, LinkSpec
from meshrouter.process.poller import Poller

SPEC = LinkSpec(kind=Kind.TCP_PEER, name="tcp", host="node.example", port=1)


class Known(Resolver):
    """The name has these addresses."""

    def __init__(self, *found: SockAddress) -> None:
        super().__init__()
        self.found = list(found)

    def resolve(self, host: str, port: int, kind: int, answer: Answer, now: float) -> None:
        answer(self.found, now)


class Caller:
    def __init__(self, *found: SockAddress) -> None:
        self.poller = Poller()
        self.resolver = Known(*found)
        self.opened: list[tuple[socket.socket, SockAddress]] = []
        self.dialler = Dialler(SPEC, self.poller, self.resolver, random.Random(3), self._took)

    def _took(self, connected: socket.socket, where: SockAddress, now: float) -> None:
        self.opened.append((connected, where))

    def turns(self, seconds: float, now: float) -> None:
        """Until nothing happens for so long; the dialler's clock stands still."""
        while actions := self.poller.wait(seconds):
            for action in actions:
                action(now)

    def close(self) -> None:
        self.dialler.close()
        self.resolver.close()
        self.poller.close()
        for connected, _ in self.opened:
            connected.close()


@pytest.fixture
def refusing() -> SockAddress:
    """An address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        where: SockAddress = server.getsockname()
    return where


@pytest.fixture
def silent() -> Iterator[SockAddress]:
    """An address that answers nothing: its queue is full."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        where: SockAddress = server.getsockname()
        filling = [socket.socket() for _ in range(4)]
        for each in filling:
            each.setblocking(False)
            each.connect_ex(where)
        yield where
        for each in filling:
            each.close()


def test_an_address_that_refuses_is_followed_by_the_next(refusing: SockAddress) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        caller = Caller(refusing, server.getsockname())
        caller.dialler.tick(0.0)
        caller.turns(0.2, 0.1)
        assert [where for _, where in caller.opened] == [server.getsockname()]
        assert caller.dialler.deadline() == float("inf")
        caller.close()


def test_an_address_that_has_not_answered_yet_is_no_connection(refusing: SockAddress, silent: SockAddress) -> None:
    caller = Caller(refusing, silent)
    caller.dialler.tick(0.0)
    caller.turns(0.1, 0.1)
    assert caller.opened == []
    assert caller.dialler.deadline() == pytest.approx(5.1)
    caller.dialler.tick(5.2)
    assert caller.dialler.trouble == "no answer" or "refused" in caller.dialler.trouble
    assert caller.dialler.deadline() > 5.2
    caller.close()


def test_waits_double_with_jitter_up_to_a_bound_and_start_anew_after_a_good_connection(refusing: SockAddress) -> None:
    caller, now, waits = Caller(refusing), 0.0, []
    for _ in range(10):
        caller.dialler.tick(now)
        caller.turns(0.02, now)
        waits.append(caller.dialler.deadline() - now)
        now = caller.dialler.deadline()
    for number, wait in enumerate(waits):
        assert 0.5 <= wait / min(2**number, LONGEST_WAIT) <= 1.5
    with socket.create_server(("127.0.0.1", 0)) as server:
        caller.resolver.found = [server.getsockname()]
        caller.dialler.tick(now)
        caller.turns(0.05, now)
        assert len(caller.opened) == 1
        caller.dialler.lost(now + LASTED)
        assert caller.dialler.deadline() <= now + LASTED + 1.5
    caller.close()


def test_addresses_of_the_mesh_are_not_dialled() -> None:
    caller = Caller(("eeee::1", 1, 0, 0))
    caller.dialler.tick(0.0)
    assert "mesh itself" in caller.dialler.trouble
    assert 0.5 <= caller.dialler.deadline() <= 1.5
    caller.close()
