"""What an operator should look at: raised and cleared by code, shown by status, RPC, metrics and the log."""

from collections.abc import Callable

import structlog

from meshchain.rpc.api import Alarm


class Alarms:
    """The standing alarms. Raise and clear from one thread, read ``current`` from any."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._log = structlog.get_logger("alarm")
        self._standing: dict[str, Alarm] = {}
        self.current: tuple[Alarm, ...] = ()

    def raise_(self, code: str, message: str) -> None:
        """Idempotent: a standing alarm keeps its time, its message follows the news."""
        known = self._standing.get(code)
        if known is None:
            self._log.warning("alarm", code=code, message=message)
        self._standing[code] = Alarm(code=code, message=message, since=known.since if known else self._now())
        self.current = tuple(self._standing.values())

    def clear(self, code: str) -> None:
        if self._standing.pop(code, None) is not None:
            self._log.info("alarm over", code=code)
            self.current = tuple(self._standing.values())

    def set(self, code: str, message: str | None) -> None:
        """Raise with a message, clear with None."""
        if message is None:
            self.clear(code)
        else:
            self.raise_(code, message)
