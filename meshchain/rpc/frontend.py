"""HTTP around the dispatcher: routes, limits, credentials, status codes.

| request | answer |
|---|---|
| POST / | JSON-RPC: 200, 204 for notifications, 401 where the cookie is missing or wrong |
| GET /metrics | Prometheus text |
| GET / | 404 with a hint; kept for a page to come |
| GET, POST /dns-query | DNS over HTTP (RFC 8484), if this node has a DNS server: 200, 400, 413, 415 |
| another path | 404; another verb: 405 with Allow |

Before anything of a request is looked at: 403 for a foreign Host or Origin, 401 for a wrong credential.
"""

import asyncio
import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from aiohttp import web

from meshchain.rpc import errors
from meshchain.rpc.auth import Cookie, Forbidden, check_source, from_browser, is_loopback
from meshchain.rpc.errors import RpcError
from meshchain.rpc.json_text import dump
from meshchain.rpc.jsonrpc import Dispatcher
from meshchain.rpc.metrics import Metrics

MAX_BODY: Final = 1024 * 1024
"""Bytes; the largest sensible request is a batch of 200 operations of 2 KiB in hex."""

AskDns: TypeAlias = Callable[[bytes, str], bytes | None]
"""(question, address of who asks) → answer; None for what is no question, b"" where it would be forwarded."""

_DNS: Final = "/dns-query"
_DNS_TYPE: Final = "application/dns-message"
_MOST_DNS: Final = 4096
"""Bytes of a question."""
_ROUTES: Final[Mapping[str, frozenset[str]]] = {
    "/": frozenset({"GET", "POST"}),
    "/metrics": frozenset({"GET"}),
    _DNS: frozenset({"GET", "POST"}),
}
_CHALLENGE: Final = {"WWW-Authenticate": 'Basic realm="meshchain"'}
_HINT: Final = 'meshchain JSON-RPC 2.0: POST to /, for example {"jsonrpc":"2.0","id":1,"method":"help"}\n'


class Frontend:
    """Handles every request of a server that listens on ``host``.

    ``bound_loopback``: only this machine can reach it.
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        metrics: Metrics,
        cookie: Cookie,
        *,
        host: str,
        bound_loopback: bool,
        body_s: float,
        ask_dns: AskDns | None = None,
    ) -> None:
        self._ask_dns = ask_dns
        self._dispatcher = dispatcher
        self._metrics = metrics
        self._cookie = cookie
        self._host = host
        self._bound_loopback = bound_loopback
        self._body_s = body_s

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        response = await self._refusal(request) or await self._answer(request)
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    async def _refusal(self, request: web.BaseRequest) -> web.Response | None:
        try:
            check_source(request.headers, self._host, _address(request, "sockname"))
        except Forbidden as error:
            return _error(403, "forbidden", str(error))
        if request.path not in _ROUTES:
            return _text(404, "there is nothing here; JSON-RPC is POST /, metrics are GET /metrics\n")
        if request.method not in _ROUTES[request.path]:
            allowed = ", ".join(sorted(_ROUTES[request.path]))
            return _text(405, f"{request.path} answers {allowed}\n", {"Allow": allowed})
        return self._credential_refusal(request)

    def _credential_refusal(self, request: web.BaseRequest) -> web.Response | None:
        given = request.headers.get("Authorization")
        if given is not None and not self._cookie.matches(given):
            return _unauthorized("the credential is not that of the running node; read the cookie file again")
        if given is None and not (self._bound_loopback and is_loopback(_address(request, "peername"))):
            return _unauthorized("callers from other machines need the cookie for every method")
        return None

    async def _answer(self, request: web.BaseRequest) -> web.Response:
        if request.path == "/metrics":
            return web.Response(body=self._metrics.exposition(), headers={"Content-Type": Metrics.CONTENT_TYPE})
        if request.path == _DNS:
            return await self._resolve(request)
        if request.method == "GET":
            return _text(404, _HINT)
        if from_browser(request.headers) and request.content_type != "application/json":
            return _error(415, "content-type", "a browser must send Content-Type: application/json")
        body = await self._body(request)
        return body if isinstance(body, web.Response) else await self._call(request, body)

    async def _resolve(self, request: web.BaseRequest) -> web.Response:
        """A question in the body or, in base64url without padding, as ``dns``; the answer's TTLs tell its age."""
        if self._ask_dns is None:
            return _text(404, "this node has no DNS server: it was started with --dns off\n")
        if request.method == "GET":
            question = _from_base64(request.query.get("dns", ""))
        elif request.content_type != _DNS_TYPE:
            return _text(415, f"a question is sent as {_DNS_TYPE}\n")
        else:
            body = await self._body(request)
            if isinstance(body, web.Response):
                return body
            question = body
        if len(question) > _MOST_DNS:
            return _text(413, f"a question has at most {_MOST_DNS} bytes\n")
        answer = self._ask_dns(question, _address(request, "peername"))
        if not answer:
            return _text(400, "this is no question that DNS can answer here\n")
        return web.Response(body=answer, content_type=_DNS_TYPE)

    async def _body(self, request: web.BaseRequest) -> bytes | web.Response:
        if (request.content_length or 0) > MAX_BODY:
            return _error(413, "too-large", f"a request has at most {MAX_BODY} bytes")
        try:
            if request.content.is_eof():  # it came with the head, as nearly all do: nothing to wait for
                return await request.read()
            async with asyncio.timeout(self._body_s):
                await _continue(request)
                return await request.read()
        except web.HTTPRequestEntityTooLarge:
            return _error(413, "too-large", f"a request has at most {MAX_BODY} bytes")
        except TimeoutError:
            return _closing(_error(408, "too-slow", f"the body did not arrive within {self._body_s:g} s"))

    async def _call(self, request: web.BaseRequest, body: bytes) -> web.Response:
        reply = await self._dispatcher.respond(body, authenticated="Authorization" in request.headers)
        challenge = _CHALLENGE if reply.cookie_missing else {}
        if reply.body is None:
            return web.Response(status=401 if reply.cookie_missing else 204, headers=challenge)
        status = 401 if reply.cookie_missing else 200
        return web.Response(status=status, body=reply.body, content_type="application/json", headers=challenge)


async def _continue(request: web.BaseRequest) -> None:
    """Ask for the body of a client that waits for leave (RFC 9110 §10.1.1; curl does above 1 MiB)."""
    if request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0


def _from_base64(text: str) -> bytes:
    """b"" for what is none."""
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return b""


def _address(request: web.BaseRequest, end: str) -> str:
    pair = request.get_extra_info(end)
    return str(pair[0]) if isinstance(pair, tuple) else ""


def _closing(response: web.Response) -> web.Response:
    response.force_close()
    return response


def _unauthorized(message: str) -> web.Response:
    return _error(401, "cookie-required", message, _CHALLENGE)


def _error(status: int, word: str, message: str, headers: Mapping[str, str] | None = None) -> web.Response:
    """An HTTP error whose body is still a JSON-RPC error, so that clients have one way to read it."""
    code = errors.COOKIE_REQUIRED if status == 401 else errors.INVALID_REQUEST
    body = dump({"jsonrpc": "2.0", "error": RpcError(code, word, message).to_json(), "id": None})
    return web.Response(status=status, body=body, content_type="application/json", headers=headers)


def _text(status: int, text: str, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(status=status, text=text, headers=headers)
