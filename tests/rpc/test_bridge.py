"""A caller that gives up in its own loop must not take the node's loop down."""

import asyncio
import threading

import pytest
import trio

from meshchain.ledger.errors import RuleError
from meshchain.service.bridge import Bridge


async def test_a_caller_may_give_up_before_the_answer() -> None:
    entered, answered = threading.Event(), trio.Event()

    async def slow() -> str:
        entered.set()
        await answered.wait()
        return "late"

    async def impatient(bridge: Bridge) -> None:
        call = asyncio.ensure_future(bridge.call(slow))
        assert await asyncio.to_thread(entered.wait, 20)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    async with trio.open_nursery() as nursery:
        bridge = Bridge(nursery)
        await trio.to_thread.run_sync(lambda: asyncio.run(impatient(bridge)))
        answered.set()


async def test_results_and_errors_cross() -> None:
    async def double(value: int) -> int:
        if value < 0:
            raise RuleError("negative", "no")
        return 2 * value

    async def caller(bridge: Bridge) -> int:
        with pytest.raises(RuleError):
            await bridge.call(double, -1)
        return await bridge.call(double, 21)

    async with trio.open_nursery() as nursery:
        bridge = Bridge(nursery)
        assert await trio.to_thread.run_sync(lambda: asyncio.run(caller(bridge))) == 42
