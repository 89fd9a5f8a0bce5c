"""What the servers for this machine's programs share, with real sockets."""

import os
import resource
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import cast

import pytest
import trio
from trio.testing import MemoryReceiveStream, MemorySendStream, MockClock, lockstep_stream_pair, memory_stream_pair

from meshchain.config.values import Address
from meshchain.service import serving
from meshchain.service.serving import LocalServer, relay

MemoryStream = trio.StapledStream[MemorySendStream, MemoryReceiveStream]


class Greeter(LocalServer):
    """Says hello, and that is all."""

    def __init__(self) -> None:
        super().__init__("greeter", Address("127.0.0.1", 0))

    async def _converse(self, client: trio.SocketStream) -> None:
        await client.send_all(b"hello")


@contextmanager
def no_descriptors() -> Iterator[None]:
    """As many as are open, and none to come."""
    old = resource.getrlimit(resource.RLIMIT_NOFILE)
    probe = os.dup(0)
    os.close(probe)
    resource.setrlimit(resource.RLIMIT_NOFILE, (probe, old[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, old)


async def test_who_comes_while_descriptors_are_out_waits() -> None:
    server = Greeter()
    await server.open()
    client = await trio.open_tcp_stream("127.0.0.1", server.address.port)
    async with client, trio.open_nursery() as nursery:
        with no_descriptors():
            nursery.start_soon(server.run)
            with trio.move_on_after(0.3):
                assert await client.receive_some(5) == b"", "nobody can be let in"
        with trio.fail_after(30):
            assert await client.receive_some(5) == b"hello"
        nursery.cancel_scope.cancel()


class Between:
    """A relay with a stream on either side."""

    def __init__(self) -> None:
        self.client, one = memory_stream_pair()
        other, self.server = memory_stream_pair()
        self.both = partial(relay, one, other, MemoryStream.send_eof)
        self.either = partial(relay, one, other)


async def test_half_of_a_connection_may_end() -> None:
    between = Between()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(between.both)
        await between.client.send_all(b"question")
        await between.client.send_eof()
        assert await between.server.receive_some() == b"question"
        assert await between.server.receive_some() == b""
        await between.server.send_all(b"answer")
        assert await between.client.receive_some() == b"answer"
        await between.server.send_eof()
        assert await between.client.receive_some() == b""


async def test_either_end_may_be_the_end() -> None:
    between = Between()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(between.either)
        await between.client.send_all(b"question")
        assert await between.server.receive_some() == b"question"
        await between.client.send_eof()


@pytest.mark.parametrize("ways", ["both", "either"])
async def test_what_moves_nothing_ends(ways: str, autojump_clock: MockClock) -> None:
    between = Between()
    start = trio.current_time()
    with trio.fail_after(10 * serving.IDLE_TIME):
        await _with_a_byte_now_and_then(between, getattr(between, ways))
    assert trio.current_time() - start == pytest.approx(3 * serving.IDLE_TIME - 2)


async def _with_a_byte_now_and_then(between: Between, way: Callable[[], Awaitable[None]]) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(way)
        for sender, receiver in ((between.client, between.server), (between.server, between.client)):
            await trio.sleep(serving.IDLE_TIME - 1)
            await sender.send_all(b"a byte")
            assert await receiver.receive_some() == b"a byte"


async def test_a_reader_that_does_not_read_moves_nothing(autojump_clock: MockClock) -> None:
    client, one = memory_stream_pair()
    other, _ = lockstep_stream_pair()
    await client.send_all(b"nobody takes it")
    with trio.fail_after(10 * serving.IDLE_TIME):
        await relay(cast("trio.abc.Stream", one), other)
    assert trio.current_time() == pytest.approx(serving.IDLE_TIME)
