"""JSON-RPC 2.0 (jsonrpc.org/specification) without HTTP: a body goes in, the body of the reply comes out.

Theory of operation
-------------------
``respond`` parses the body within bounds (``json_text``), answers one request or each of a batch in turn,
and returns bytes, or None where the specification wants silence (notifications). Every call walks the same
steps, and the first that fails makes its error object: shape of the request (−32600), method (−32601),
cookie (−32001), parameters (−32602), synced (−28), handler. Errors of the ledger keep their code word. An
exception that nobody foresaw is logged with its traceback and answered as −32603 without details: a caller
never sees the inside of the node, and no input raises out of ``respond``.

A batch runs in order, yields to the loop after each call, and stops adding results when the reply reaches
MAX_RESPONSE. Results are encoded where they are made, so those of long scans never occupy the loop.
"""

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from meshchain.ledger.errors import LedgerError
from meshchain.rpc import errors
from meshchain.rpc.api import NodeApi
from meshchain.rpc.errors import RpcError
from meshchain.rpc.json_text import Json, JsonError, dump, parse
from meshchain.rpc.registry import Call, Method, MethodTable
from meshchain.rpc.schema import is_integer

MAX_BATCH: Final = 1000
"""Bitcoin Core has no limit and was starved that way; clients here page in hundreds."""
MAX_RESPONSE: Final = 32 * 1024 * 1024
"""Bytes of a batch's results after which the rest is refused: 1 MiB of requests could ask for gigabytes."""

MAX_SCAN_S: Final = 300.0
"""A pass over 10^6 names takes half a minute; a filter made to be slow must not keep a thread for hours."""

RunScan: TypeAlias = Callable[[Callable[[], bytes]], Awaitable[bytes]]
"""Runs a long function without blocking the loop."""
Observe: TypeAlias = Callable[[str, str, float], None]
"""Told (method, outcome, seconds) of every call; outcome is "ok" or an error's number."""

_LOG: Final = logging.getLogger("meshchain.rpc")


@dataclass(frozen=True, slots=True)
class Reply:
    """``body`` None: nothing to say. ``cookie_missing``: some call was refused for want of the cookie."""

    body: bytes | None
    cookie_missing: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    params: Json
    id: Json
    wants_reply: bool


async def run_inline(function: Callable[[], bytes]) -> bytes:
    """A RunScan for tests and fuzzing: no thread."""
    return function()


def unobserved(method: str, outcome: str, seconds: float) -> None:
    """An Observe that forgets."""


class Dispatcher:
    """Answers request bodies for one node."""

    def __init__(
        self,
        table: MethodTable,
        node: NodeApi,
        *,
        clock: Callable[[], float],
        run_scan: RunScan = run_inline,
        observe: Observe = unobserved,
        stopping: Callable[[], bool] = lambda: False,
        scan_s: float = MAX_SCAN_S,
    ) -> None:
        self._table = table
        self._node = node
        self._clock = clock
        self._run_scan = run_scan
        self._observe = observe
        self._stopping = stopping
        self._scan_s = scan_s
        self._running: dict[str, asyncio.Future[object]] = {}

    async def respond(self, body: bytes, *, authenticated: bool) -> Reply:
        try:
            document = parse(body)
        except JsonError as error:
            return Reply(_failure(None, RpcError(errors.PARSE_ERROR, error.word, error.message)))
        if isinstance(document, list):
            return await self._batch(document, authenticated=authenticated)
        return await self._one(document, authenticated=authenticated)

    async def _batch(self, items: Sequence[Json], *, authenticated: bool) -> Reply:
        if not 1 <= len(items) <= MAX_BATCH:
            problem = "is empty" if not items else f"has {len(items)} requests"
            return Reply(_failure(None, _invalid(f"the batch {problem}; 1 to {MAX_BATCH} are allowed")))
        replies: list[bytes] = []
        room, missing = MAX_RESPONSE, False
        for item in items:
            reply = await self._one(item, authenticated=authenticated, room=room)
            missing |= reply.cookie_missing
            if reply.body is not None:
                replies.append(reply.body)
                room -= len(reply.body)
            await asyncio.sleep(0)  # another connection's turn
        return Reply(b"[" + b",".join(replies) + b"]" if replies else None, missing)

    async def _one(self, document: Json, *, authenticated: bool, room: int = MAX_RESPONSE) -> Reply:
        try:
            request = _request(document)
        except RpcError as error:
            return Reply(_failure(_id_of(document), error))
        started = self._clock()
        method = self._table.get(request.method)
        try:
            result = await self._call(method, request, authenticated=authenticated, room=room)
            reply, outcome = _success(request.id, result), "ok"
        except RpcError as error:
            reply, outcome = _failure(request.id, error), str(error.code)
        self._observe(method.name if method else "unknown", outcome, self._clock() - started)
        missing = outcome == str(errors.COOKIE_REQUIRED)
        return Reply(reply if request.wants_reply else None, missing)

    async def _call(self, method: Method | None, request: Request, *, authenticated: bool, room: int) -> bytes:
        if method is None:
            raise RpcError(errors.METHOD_NOT_FOUND, "no-such-method", f"no method is called {request.method[:80]!r}")
        if method.access == "cookie" and not authenticated:
            raise RpcError(errors.COOKIE_REQUIRED, "cookie-required", f"{method.name} needs the cookie")
        if room <= 0:
            raise RpcError(errors.RESPONSE_TOO_LARGE, "response-too-large", errors.MEANINGS[errors.RESPONSE_TOO_LARGE])
        arguments = method.bind(request.params)
        deadline = self._clock() + self._scan_s
        call = Call(self._node, self._table, self._stopping, lambda: self._clock() > deadline, self._running)
        if method.synced:
            call.require_sync(method.name)
        return await self._guarded(method, call, arguments)

    async def _guarded(self, method: Method, call: Call, arguments: Mapping[str, Json]) -> bytes:
        try:
            return await self._run(method, call, arguments)
        except RpcError:
            raise
        except LedgerError as error:
            raise errors.from_ledger(error) from None
        except Exception:
            _LOG.exception("%s failed", method.name)
            message = f"{method.name} failed; the node's log says why"
            raise RpcError(errors.INTERNAL_ERROR, "internal", message) from None

    async def _run(self, method: Method, call: Call, arguments: Mapping[str, Json]) -> bytes:
        if method.scan:
            return await self._run_scan(lambda: dump(method.handler(call, **arguments)))  # type: ignore[arg-type]
        result = method.handler(call, **arguments)
        return dump(await result if inspect.isawaitable(result) else result)


def _request(document: Json) -> Request:
    """Check the shape of one request object (specification §4)."""
    if not isinstance(document, Mapping):
        raise _invalid("a request is an object")
    if document.get("jsonrpc") != "2.0":
        raise _invalid('"jsonrpc" must be "2.0"')
    method = document.get("method")
    if not isinstance(method, str):
        raise _invalid('"method" must be a string')
    params = document.get("params", [])
    if not isinstance(params, list | Mapping):
        raise _invalid('"params" must be an array or an object')
    if "id" in document and not _is_id(document["id"]):
        raise _invalid('"id" must be a string, a number or null')
    return Request(method, params, document.get("id"), wants_reply="id" in document)


def _is_id(value: Json) -> bool:
    return value is None or is_integer(value) or isinstance(value, str | float)


def _id_of(document: Json) -> Json:
    """The id of a request that is wrong otherwise, so that its sender can tell which; null if there is none."""
    value = document.get("id") if isinstance(document, Mapping) else None
    return value if _is_id(value) else None


def _invalid(message: str) -> RpcError:
    return RpcError(errors.INVALID_REQUEST, "invalid-request", message)


def _success(request_id: Json, result: bytes) -> bytes:
    return b'{"jsonrpc":"2.0","result":' + result + b',"id":' + dump(request_id) + b"}"


def _failure(request_id: Json, error: RpcError) -> bytes:
    return dump({"jsonrpc": "2.0", "error": error.to_json(), "id": request_id})
