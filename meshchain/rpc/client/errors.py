"""What a client command can fail with: the type decides the exit code, ``code`` names it for programs."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final, TypeAlias

Json: TypeAlias = Any
"""A value as the json module reads and writes it."""

STANDARD_CODES: Final[Mapping[int, str]] = {
    -32700: "parse-error",
    -32600: "invalid-request",
    -32601: "no-such-method",
    -32602: "bad-params",
    -32603: "internal",
}
"""Words for JSON-RPC 2.0's own codes, whose replies need not carry one (specification §5.1)."""


class ClientError(Exception):
    """A failure with a message for people, a stable word for programs, and the command's exit code."""

    exit_code: ClassVar[int] = 1

    def __init__(self, code: str, message: str, **data: object) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data: dict[str, Any] = data

    def to_document(self) -> dict[str, Any]:
        """The form that ``--json`` prints."""
        return {"error": {"code": self.code, "message": self.message, "data": self.data}}


class NodeRefused(ClientError):  # noqa: N818
    """The node answered and refused, or the thing asked for is absent.

    ``rpc_code`` is the JSON-RPC error code, or None where the refusal is the HTTP layer's or the client's.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, code: str, message: str, *, rpc_code: int | None = None, **data: object) -> None:
        super().__init__(code, message, **data)
        self.rpc_code = rpc_code


class NodeUnreachable(ClientError):  # noqa: N818
    """No usable answer: nobody listens, the time is up, or what answers is no node."""

    exit_code: ClassVar[int] = 2


class WrongUse(ClientError):  # noqa: N818
    """The command line, the environment or a file named there is at fault."""

    exit_code: ClassVar[int] = 3


def refusal(error: object) -> NodeRefused:
    """Turn the ``error`` member of a JSON-RPC reply into an exception; any JSON value is accepted."""
    table = error if isinstance(error, dict) else {}
    number = table.get("code")
    rpc_code = number if type(number) is int else None
    raw = table.get("data")
    data = {str(k): v for k, v in raw.items()} if isinstance(raw, dict) else {}
    word = data.pop("code", None)
    if not isinstance(word, str):
        word = STANDARD_CODES.get(rpc_code or 0, "rpc-error")
    text = table.get("message")
    message = text if isinstance(text, str) and text else f"the node refused without saying why ({word})"
    failure = NodeRefused(word, message, rpc_code=rpc_code)
    failure.data.update(data)
    return failure


def reason(error: Exception) -> str:
    """What happened in the system's own words, without the number and the path that an OSError adds."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
