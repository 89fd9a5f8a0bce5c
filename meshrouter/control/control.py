"""Questions to a router, by number, and their answers: at once, or when a ping or trace has ended.

::

    status {}                                    -> overview
    neighbours {}                                -> {"neighbours": [...]}
    routes {"start": n, "count": n}              -> {"routes": [...], "total": n}
    sessions {"start": n, "count": n}            -> {"sessions": [...], "total": n}
    ping {"address": text, "seq": n, "size": n, "timeout": s}                  -> ping
    traceroute {"address": text, "key": hex|null, "reverse": bool, "timeout": s}  -> trace

An answer is ``{"result": …}`` or ``{"error": {"code", "message"}}``.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv6Address
from math import isfinite
from typing import Final

from meshchain.crypto.address import PREFIX
from meshrouter.control.adjacencies import neighbours_form
from meshrouter.control.forms import Form, KeyOf
from meshrouter.control.overview import Overview, overview_form
from meshrouter.control.pairs import SessionView, sessions_form
from meshrouter.control.routes import routes_form
from meshrouter.control.traces import TraceForm, ping_form, target_id
from meshrouter.directory import Directory
from meshrouter.env import Env
from meshrouter.errors import LocalError
from meshrouter.neighbours.neighbour import Neighbour
from meshrouter.routing.route import Route
from meshrouter.trace.echoes import MOST_SIZE, PingResult
from meshrouter.trace.tracer import Tracer, TraceResult

MOST_ROWS: Final = 500
"""Of one answer, so that it fits a message to the node (a route takes up to 900 bytes)."""
MOST_PATIENCE: Final = 60.0
"""Seconds that a ping or trace may take."""

Answer = Callable[[int, Form], None]
Params = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """The router, as questions need it; each is called when it is asked about."""

    overview: Callable[[], Overview]
    neighbours: Callable[[], Iterable[Neighbour]]
    routes: Callable[[], Iterable[Route]]
    sessions: Callable[[], Iterable[SessionView]]
    key_of: KeyOf


class Control:
    """The coordinator sets ``tracer`` after it has made one with ``finished`` as its ``on_result``."""

    tracer: Tracer

    def __init__(self, env: Env, directory: Directory, state: State, answer: Answer, *, started: float) -> None:
        self._env = env
        self._directory = directory
        self._state = state
        self._answer = answer
        self._started = started
        self._waiting: dict[int, int] = {}
        """The tracer's number → the question's."""
        self._traces = TraceForm(directory, state.key_of)

    def ask(self, number: int, method: str, params: Params, now: float) -> None:
        """Never raises: what is wrong with a question is its answer."""
        try:
            handler = _METHODS.get(method)
            if handler is None:
                raise LocalError("no-such-method", f"a router is not asked {method!r}")
            result = handler(self, number, params, now)
        except LocalError as error:
            self._answer(number, {"error": {"code": error.code, "message": error.message}})
            return
        if result is not None:
            self._answer(number, {"result": result})

    def finished(self, result: TraceResult | PingResult) -> None:
        """``Tracer.on_result``."""
        number = self._waiting.pop(result.number, None)
        if number is not None:
            form = ping_form(result) if isinstance(result, PingResult) else self._traces.form(result)
            self._answer(number, {"result": form})

    # --- at once -----------------------------------------------------------------------------------------------

    def _status(self, _number: int, _params: Params, now: float) -> Form:
        return overview_form(self._state.overview(), self._env, self._directory, now - self._started)

    def _neighbours(self, _number: int, _params: Params, now: float) -> Form:
        return {"neighbours": neighbours_form(self._state.neighbours(), self._directory, now)}

    def _routes(self, _number: int, params: Params, _now: float) -> Form:
        return _page("routes", routes_form(self._state.routes(), self._directory), params)

    def _sessions(self, _number: int, params: Params, now: float) -> Form:
        return _page("sessions", sessions_form(self._state.sessions(), self._directory, now), params)

    # --- later -------------------------------------------------------------------------------------------------

    def _ping(self, number: int, params: Params, now: float) -> Form | None:
        target, timeout = _address(params), _seconds(params)
        seq, size = _integer(params, "seq", 1, 0xFFFF), _integer(params, "size", 56, MOST_SIZE)
        own = list(self._state.overview().addresses)
        if target in own:
            return ping_form(PingResult(0, target, seq, size, "", 0.0, 0, 0))
        if not own:
            raise LocalError("no-address", "this router has no address yet")
        asked = self.tracer.ping(own[0], target, now, seq=seq, size=size, timeout=timeout)
        self._waiting[asked] = number
        return None

    def _traceroute(self, number: int, params: Params, now: float) -> Form | None:
        target, timeout = target_id(_address(params), _key(params)), _seconds(params)
        if target is None:
            raise LocalError("bad-key", "this key has no mesh address")
        asked = self.tracer.trace(target, now, reverse=params.get("reverse", True) is True, timeout=timeout)
        self._waiting[asked] = number
        return None


_METHODS: Final = {
    "status": Control._status,
    "neighbours": Control._neighbours,
    "routes": Control._routes,
    "sessions": Control._sessions,
    "ping": Control._ping,
    "traceroute": Control._traceroute,
}


def _page(what: str, rows: list[Form], params: Params) -> Form:
    start = _integer(params, "start", 0, 1 << 31)
    return {what: rows[start : start + _integer(params, "count", MOST_ROWS, MOST_ROWS)], "total": len(rows)}


def _address(params: Params) -> bytes:
    try:
        address = IPv6Address(str(params.get("address"))).packed
    except ValueError:
        raise LocalError("bad-address", f"{params.get('address')!r} is no IPv6 address") from None
    if not address.startswith(PREFIX):
        raise LocalError("not-mesh", f"{params.get('address')} is no address of the mesh (eeee::/16)")
    return address


def _key(params: Params) -> bytes | None:
    given = params.get("key")
    try:
        key = None if given is None else bytes.fromhex(str(given))
    except ValueError:
        key = b""
    if key is not None and len(key) != 32:
        raise LocalError("bad-key", "a key has 64 hexadecimal digits")
    return key


def _integer(params: Params, name: str, default: int, most: int) -> int:
    value = params.get(name, default)
    if type(value) is not int or not 0 <= value <= most:
        raise LocalError("bad-params", f"{name} must be a number from 0 to {most}")
    return value


def _seconds(params: Params) -> float:
    value = params.get("timeout", 3.0)
    if not isinstance(value, int | float) or not isfinite(value) or not 0 < value <= MOST_PATIENCE:
        raise LocalError("bad-params", f"timeout must be seconds, up to {MOST_PATIENCE:.0f}")
    return float(value)
