"""From the RPC server's thread into the node's trio loop and back: a future, never a blocked loop."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import TypeVar, TypeVarTuple

import trio

from meshchain.ledger.errors import LocalError

R = TypeVar("R")
Args = TypeVarTuple("Args")


class Bridge:
    """Starts calls in ``nursery``; made inside the trio loop, used from asyncio loops in other threads."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self._nursery = nursery
        self._token = trio.lowlevel.current_trio_token()

    async def call(self, function: Callable[[*Args], Awaitable[R]], *args: *Args) -> R:
        """Await ``function(*args)`` in the trio loop from an asyncio loop. LocalError "stopping" at shutdown."""
        future: Future[R] = Future()

        async def run() -> None:
            if not future.set_running_or_notify_cancel():  # the caller is gone; from here on it cannot cancel
                return
            try:
                result = await function(*args)
            except trio.Cancelled:
                future.set_exception(LocalError("stopping", "the node is stopping"))
                raise
            except Exception as error:
                future.set_exception(error)
            else:
                future.set_result(result)

        def start() -> None:
            self._nursery.start_soon(run)

        try:
            self._token.run_sync_soon(start)
        except trio.RunFinishedError:
            raise LocalError("stopping", "the node is stopping") from None
        return await asyncio.wrap_future(future)
