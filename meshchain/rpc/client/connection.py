"""A blocking JSON-RPC 2.0 client over one kept HTTP connection.

A request is never sent twice: a kept connection that the node has closed meanwhile is noticed before the
request is written, so an error after that point means that its outcome is unknown, and says so. The cookie is
read anew for each connection, since a node writes a new one at every start.
"""

import http.client
import json
import selectors
import socket
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, TypeAlias

from meshchain.rpc.client.address import parse_endpoint
from meshchain.rpc.client.errors import ClientError, Json, NodeRefused, refusal
from meshchain.rpc.client.explain import Explainer, authorization

Call: TypeAlias = tuple[str, Sequence[Json] | Mapping[str, Json]]

MAX_BATCH: Final = 1000
"""Calls in one request; the node takes no more."""
MAX_ANSWER: Final = 64 * 2**20
"""Bytes. The largest answers (a page of names, a block with all its operations) stay below 2 MiB."""
_CHUNK: Final = 2**12
"""Bytes between two looks at the clock."""


class Client:
    """Calls methods of the node at ``url``; ``cookie`` is its cookie file, None to present none.

    ``timeout`` (seconds) bounds connecting and each answer. ``network`` only serves the advice in messages.
    Raises NodeRefused for a refusal, NodeUnreachable where no usable answer came, WrongUse for a bad url.
    """

    def __init__(self, url: str, cookie: Path | None, *, timeout: float = 60, network: str | None = None) -> None:
        self._endpoint = parse_endpoint(url)
        self._http = http.client.HTTPConnection(self._endpoint.host, self._endpoint.port, timeout=timeout)
        self._cookie = cookie
        self._authorization: str | None = None
        self._explain = Explainer(self._endpoint.url, cookie, network)
        self._next_id = 0
        self.timeout = timeout

    @property
    def url(self) -> str:
        return self._endpoint.url

    def close(self) -> None:
        self._http.close()

    def call(self, method: str, *args: Json, **named: Json) -> Json:
        """The result of one method; parameters are positional or named, not both."""
        if args and named:
            raise TypeError("JSON-RPC takes positional or named parameters, not both")
        request = self._request(method, named or list(args))
        return self._result(self._exchange(request), request)

    def batch(self, calls: Sequence[Call], *, refusals: bool = False) -> list[Json]:
        """Results in the order of ``calls``.

        The first refusal is raised; with ``refusals``, NodeRefused objects stand in the place of results.
        """
        results: list[Json] = []
        for start in range(0, len(calls), MAX_BATCH):
            requests = [self._request(method, params) for method, params in calls[start : start + MAX_BATCH]]
            replies = self._by_id(self._exchange(requests))
            results += [self._result_or_refusal(replies.get(r["id"]), r, refusals) for r in requests]
        return results

    def _request(self, method: str, params: Sequence[Json] | Mapping[str, Json]) -> dict[str, Json]:
        self._next_id += 1
        return {"jsonrpc": "2.0", "id": self._next_id, "method": method, "params": params}

    def _by_id(self, reply: object) -> dict[int, object]:
        if isinstance(reply, dict):  # the batch as a whole was refused
            raise refusal(reply.get("error"))
        if not isinstance(reply, list):
            raise self._explain.not_a_node("its answer to a batch is no list")
        return {r["id"]: r for r in reply if isinstance(r, dict) and type(r.get("id")) is int}

    def _result_or_refusal(self, reply: object, request: Mapping[str, Json], keep: bool) -> Json:
        try:
            return self._result(reply, request)
        except NodeRefused as refused:
            if not keep:
                raise
            return refused

    def _result(self, reply: object, request: Mapping[str, Json]) -> Json:
        if not isinstance(reply, dict):
            raise self._explain.not_a_node("its answer is no JSON-RPC reply")
        if reply.get("error") is not None:
            raise refusal(reply["error"])
        answered = reply.get("id")
        if "result" not in reply or type(answered) is not int or answered != request["id"]:
            raise self._explain.not_a_node("its answer does not belong to the request")
        return reply["result"]

    def _exchange(self, request: object) -> object:
        body = json.dumps(request, separators=(",", ":")).encode("ascii")
        self._connect()
        try:
            self._http.request("POST", self._endpoint.path, body, self._headers())
            response = self._http.getresponse()
            answer = self._read(response)
        except TimeoutError:
            self.close()
            raise self._explain.timed_out(self.timeout) from None
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise self._explain.lost(error) from None
        return self._decode(response, answer)

    def _connect(self) -> None:
        if self._http.sock is not None and not _is_stale(self._http.sock):
            return
        self.close()
        try:
            self._http.connect()
        except TimeoutError:
            raise self._explain.timed_out(self.timeout) from None
        except (OSError, UnicodeError) as error:  # UnicodeError: a host name that IDNA refuses
            raise self._explain.unreachable(error) from None
        self._authorization = authorization(self._cookie)

    def _headers(self) -> dict[str, str]:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self._authorization is not None:
            headers["Authorization"] = self._authorization
        return headers

    def _read(self, response: http.client.HTTPResponse) -> bytes:
        deadline = time.monotonic() + self.timeout
        answer = bytearray()
        while chunk := response.read(_CHUNK):
            answer += chunk
            if len(answer) > MAX_ANSWER:
                raise http.client.HTTPException(f"the answer exceeds {MAX_ANSWER} bytes")
            if time.monotonic() > deadline:
                raise TimeoutError
        if response.length:
            raise http.client.IncompleteRead(b"", response.length)
        return bytes(answer)

    def _decode(self, response: http.client.HTTPResponse, answer: bytes) -> object:
        try:
            reply: object = json.loads(answer)
        except (ValueError, RecursionError):
            reply = None
        if response.status == http.client.OK and reply is not None:
            return reply
        raise self._http_failure(response, reply)

    def _http_failure(self, response: http.client.HTTPResponse, reply: object) -> ClientError:
        self.close()
        status = response.status
        if status == http.client.UNAUTHORIZED:
            return self._explain.unauthorized(sent=self._authorization is not None)
        if status == http.client.REQUEST_ENTITY_TOO_LARGE:
            return self._explain.too_large()
        if isinstance(reply, dict) and isinstance(reply.get("error"), dict):
            return refusal(reply["error"])
        if status == http.client.FORBIDDEN:
            return self._explain.forbidden()
        why = "its answer is not JSON" if status == http.client.OK else f"it says HTTP {status}"
        return self._explain.not_a_node(why)


def _is_stale(sock: socket.socket) -> bool:
    """A kept connection that is readable before a request was sent has been closed (or is out of step)."""
    with selectors.DefaultSelector() as selector:
        selector.register(sock, selectors.EVENT_READ)
        return bool(selector.select(0))
