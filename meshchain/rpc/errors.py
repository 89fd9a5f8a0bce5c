"""Every failure a caller can see: a JSON-RPC code, a message, and ``data`` with a stable word.

The numbers below −32000 are JSON-RPC 2.0 §5.1; the small negative ones are those of the Bitcoin family,
which clients of name ledgers know. Programs should read ``data.code``: it names the rule.
"""

from collections.abc import Mapping
from typing import Final

from meshchain.ledger.errors import CodecError, LedgerError, LocalError
from meshchain.rpc.json_text import Json

PARSE_ERROR: Final = -32700
INVALID_REQUEST: Final = -32600
METHOD_NOT_FOUND: Final = -32601
INVALID_PARAMS: Final = -32602
INTERNAL_ERROR: Final = -32603
COOKIE_REQUIRED: Final = -32001
RESPONSE_TOO_LARGE: Final = -32002
LOCAL_FAULT: Final = -1
ABSENT: Final = -4
BAD_VALUE: Final = -5
REFUSED: Final = -26
SYNCING: Final = -28

MEANINGS: Final[Mapping[int, str]] = {
    PARSE_ERROR: "The body is not JSON within the limits of this server.",
    INVALID_REQUEST: "The JSON is not a JSON-RPC 2.0 request.",
    METHOD_NOT_FOUND: "There is no such method.",
    INVALID_PARAMS: "The parameters do not have the shape that `help METHOD` describes.",
    INTERNAL_ERROR: "A fault of this program; its log has the details.",
    COOKIE_REQUIRED: "The method needs the cookie of the node's data directory (HTTP 401).",
    RESPONSE_TOO_LARGE: "The responses of the batch grew beyond the limit; ask for the rest separately.",
    LOCAL_FAULT: "This machine cannot do what it should (disk, data directory); data.code says why.",
    ABSENT: "The thing asked for does not exist.",
    BAD_VALUE: "A parameter of the right shape holds a value that breaks a rule; data.code names it.",
    REFUSED: "The operation breaks a rule of the ledger or of the pool; data.code names it.",
    SYNCING: "The node is not synced yet; data.height and data.target say how far it is.",
}


class RpcError(Exception):
    """An error object of JSON-RPC: ``code``, ``message`` and, where there is a stable ``word``, data."""

    def __init__(self, code: int, word: str, message: str, **detail: Json) -> None:
        super().__init__(message)
        self.code = code
        self.word = word
        self.message = message
        self.detail = detail

    def to_json(self) -> dict[str, Json]:
        return {"code": self.code, "message": self.message, "data": {"code": self.word, **self.detail}}


def absent(word: str, message: str, **detail: Json) -> RpcError:
    return RpcError(ABSENT, word, message, **detail)


def bad_value(word: str, message: str, **detail: Json) -> RpcError:
    return RpcError(BAD_VALUE, word, message, **detail)


def from_ledger(error: LedgerError) -> RpcError:
    """Who is to blame decides the number: this machine −1, undecodable bytes −5, a broken rule −26."""
    code = REFUSED
    if isinstance(error, LocalError):
        code = LOCAL_FAULT
    elif isinstance(error, CodecError):
        code = BAD_VALUE
    detail = {key: value for key, value in error.detail.items() if key != "code"}
    return RpcError(code, error.code, error.message, **detail)
