"""Calls methods through the dispatcher, as a server would, without a socket."""

import asyncio
import json
from dataclasses import dataclass
from itertools import count
from typing import Any

from meshchain.rpc.jsonrpc import Dispatcher, Reply
from meshchain.rpc.methods import method_table
from meshchain.rpc.registry import MethodTable
from meshchain.rpc.schema import check
from tests.rpc.ledger_node import LedgerNode


@dataclass
class Caller:
    """``result`` and ``error`` check the answer against the method's declaration on the way."""

    node: LedgerNode
    table: MethodTable
    authenticated: bool = True

    def __post_init__(self) -> None:
        self.dispatcher = Dispatcher(self.table, self.node, clock=count().__next__)

    def reply(self, body: bytes) -> Reply:
        return asyncio.run(self.dispatcher.respond(body, authenticated=self.authenticated))

    def send(self, document: object) -> Any:  # noqa: ANN401 - JSON
        body = self.reply(json.dumps(document).encode()).body
        return None if body is None else json.loads(body)

    def answer(self, method: str, *params: object) -> dict[str, Any]:
        answer = self.send({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        assert isinstance(answer, dict)
        return answer

    def result(self, method: str, *params: object) -> Any:  # noqa: ANN401 - JSON
        answer = self.answer(method, *params)
        assert "error" not in answer, answer["error"]
        declared = self.table.get(method)
        assert declared is not None
        check(answer["result"], declared.result)
        return answer["result"]

    def error(self, method: str, *params: object) -> dict[str, Any]:
        """The error object; its number is among those the method declares."""
        answer = self.answer(method, *params)
        assert "error" in answer, answer
        declared = self.table.get(method)
        if declared is not None:
            assert answer["error"]["code"] in declared.errors, answer
        error = answer["error"]
        assert isinstance(error, dict)
        return error


def caller(node: LedgerNode, *, authenticated: bool = True) -> Caller:
    return Caller(node, method_table(), authenticated)
