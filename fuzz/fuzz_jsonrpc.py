"""Coverage-guided fuzzing of the RPC server's body handling: parser, dispatcher, parameter checks, methods.

    python fuzz/fuzz_jsonrpc.py [-max_total_time=60] [CORPUS_DIR]

An input that begins with a byte from 128 on is the text of parameters for the method of that number; any other is a
whole body. Every input must give silence or an answer that is JSON with "result" or "error", and never −32603,
which would stand for an exception nobody foresaw. The ledger behind it is a real one in memory. Without a corpus
directory the examples of the method table are the seeds.
"""

import asyncio
import json
import logging
import sys
import tempfile
from itertools import count
from pathlib import Path

try:
    import atheris
except ImportError:
    sys.exit(
        "atheris is not installed: pip install 'atheris==3.0.0' (CPython 3.11 or 3.12 on Linux), then run this again"
    )

sys.path.insert(0, str(Path(__file__).parents[1]))
with atheris.instrument_imports(include=["meshchain.rpc", "json"]):
    from meshchain.rpc.jsonrpc import Dispatcher
    from meshchain.rpc.methods import method_table
    from meshchain.rpc.registry import MethodTable
from tests.rpc.ledger_node import LedgerNode
from tests.rpc.people import ALICE

_UNBOUNDED = frozenset({"generate"})
"""Mining grows the ledger from input to input."""


TABLE = MethodTable(method for method in method_table() if method.name not in _UNBOUNDED)
NAMES = [method.name for method in TABLE]


def _dispatcher() -> Dispatcher:
    node = LedgerNode(Path("/nonexistent"))
    ALICE.register(node, "alice")
    return Dispatcher(TABLE, node, clock=count().__next__)


def _body(data: bytes) -> bytes:
    if not data or data[0] < 128:
        return data
    name = NAMES[data[0] % len(NAMES)]
    return b'{"jsonrpc":"2.0","id":1,"method":"' + name.encode() + b'","params":' + data[1:] + b"}"


def _write_seeds(folder: Path) -> None:
    """Every example of the table, in both forms."""
    first = next(number for number in range(128, 256) if number % len(NAMES) == 0)
    for number, method in enumerate(TABLE):
        for index, example in enumerate(method.examples):
            params = json.dumps(example.params).encode()
            whole = {"jsonrpc": "2.0", "id": 1, "method": method.name, "params": example.params}
            (folder / f"{method.name}-{index}-whole").write_bytes(json.dumps(whole).encode())
            (folder / f"{method.name}-{index}").write_bytes(bytes((first + number,)) + params)


def _check(answer: object) -> None:
    assert isinstance(answer, dict)
    assert ("result" in answer) != ("error" in answer)
    assert answer.get("error", {}).get("code") != -32603, answer


def main() -> None:
    logging.disable(logging.CRITICAL)
    dispatcher, loop = _dispatcher(), asyncio.new_event_loop()

    def one_input(data: bytes) -> None:
        reply = loop.run_until_complete(dispatcher.respond(_body(data), authenticated=True)).body
        if reply is not None:
            answer = json.loads(reply)
            for item in answer if isinstance(answer, list) else [answer]:
                _check(item)

    arguments = list(sys.argv)
    if all(argument.startswith("-") for argument in arguments[1:]):
        seeds = Path(tempfile.mkdtemp(prefix="fuzz-jsonrpc-"))
        _write_seeds(seeds)
        arguments.append(str(seeds))
    atheris.Setup(arguments, one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
