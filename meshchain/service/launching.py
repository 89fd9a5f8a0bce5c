"""The launcher of routers, from within trio."""

import socket

import structlog
import trio

from meshchain.ledger.errors import LocalError
from meshrouter.errors import LocalError as RouterLocalError
from meshrouter.host.launcher import Launcher


class Channels:
    """Call it to have a router started, in place of the one before: our end of its channel. LocalError "launcher"."""

    def __init__(self, launcher: Launcher) -> None:
        self._launcher = launcher
        self._log = structlog.get_logger("router")

    async def __call__(self) -> socket.socket:
        try:
            started = await trio.to_thread.run_sync(self._launcher.open_channel)
        except RouterLocalError as error:
            raise LocalError(error.code, error.message) from None
        self._log.info("router started", pid=started.pid, last_one_ended_with=started.last)
        return started.channel
