"""The words for what can go wrong below JSON-RPC: which address was tried, which cookie, what to do now."""

import base64
from pathlib import Path
from typing import Any

from meshchain.rpc.client.errors import NodeRefused, NodeUnreachable, reason


def authorization(cookie: Path | None) -> str | None:
    """HTTP Basic credentials (RFC 7617) from the cookie file; None if there is no readable one."""
    try:
        secret = b"" if cookie is None else cookie.read_bytes().strip()
    except OSError:
        return None
    return "Basic " + base64.b64encode(secret).decode("ascii") if secret else None


class Explainer:
    """Builds the exceptions of one client; ``network`` is named in the advice how to start a node."""

    def __init__(self, url: str, cookie: Path | None, network: str | None) -> None:
        self._url = url
        self._cookie = cookie
        self._network = network

    def unreachable(self, error: Exception) -> NodeUnreachable:
        start = "meshd" if self._network is None else f"meshd --network {self._network}"
        return self._failure(
            "unreachable",
            f"no node answers at {self._url} ({reason(error)})",
            f"Start one with `{start}`, or give another address with --rpc URL",
        )

    def timed_out(self, seconds: float) -> NodeUnreachable:
        return self._failure(
            "timeout",
            f"the node at {self._url} did not answer within {seconds:g} s",
            "It may be busy: try again, or look at its log",
        )

    def lost(self, error: Exception) -> NodeUnreachable:
        return self._failure(
            "connection-lost",
            f"the connection to {self._url} broke before the answer was complete ({reason(error)})",
            "Whether the request was carried out is unknown: look before you repeat it",
        )

    def not_a_node(self, why: str) -> NodeUnreachable:
        return self._failure(
            "not-a-node",
            f"what answers at {self._url} is no node ({why})",
            "Another program may hold the port: give the right address with --rpc URL",
        )

    def unauthorized(self, *, sent: bool) -> NodeRefused:
        """HTTP 401: with a cookie it is stale or another node's, without one there was none to send."""
        if sent:
            return NodeRefused(
                "cookie-refused",
                f"the node at {self._url} refuses the cookie in {self._cookie}: it is of another node or of"
                " an earlier start. Give the --datadir of the node that listens there, or its --cookie FILE",
                **self._tried(),
            )
        return NodeRefused(
            "cookie-required",
            f"the node at {self._url} wants its cookie for this; {self._cookie_state()}. Run this as the user"
            " who runs the node, or name the file with --cookie FILE (or its folder with --datadir DIR)",
            **self._tried(),
        )

    def too_large(self) -> NodeRefused:
        return NodeRefused("request-too-large", f"the request is larger than the node at {self._url} accepts")

    def forbidden(self) -> NodeRefused:
        return NodeRefused("forbidden", f"the node at {self._url} refuses requests under this host name")

    def _failure(self, code: str, what: str, advice: str) -> NodeUnreachable:
        return NodeUnreachable(code, f"{what}; {self._cookie_state()}. {advice}", **self._tried())

    def _cookie_state(self) -> str:
        if self._cookie is None:
            return "no cookie goes to a distant node unless --cookie FILE names one"
        try:
            self._cookie.read_bytes()
        except FileNotFoundError:
            return f"there is no cookie at {self._cookie}"
        except OSError as error:
            return f"the cookie at {self._cookie} cannot be read ({error.strerror})"
        return f"a cookie was found at {self._cookie}"

    def _tried(self) -> dict[str, Any]:
        path = None if self._cookie is None else str(self._cookie)
        return {"url": self._url, "cookie": path, "cookie_found": authorization(self._cookie) is not None}
