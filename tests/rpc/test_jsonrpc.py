"""JSON-RPC 2.0: the specification's examples, its edges, and any bytes at all."""

import json
import logging
from collections.abc import Mapping
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from meshchain.ledger.errors import CodecError, HeldError, LedgerError, RuleError, StoreError
from meshchain.rpc.json_text import Json
from meshchain.rpc.jsonrpc import MAX_BATCH, MAX_RESPONSE, Dispatcher
from meshchain.rpc.methods import method_table
from meshchain.rpc.registry import Area, Call, MethodTable, Param
from tests.rpc.caller import Caller
from tests.rpc.ledger_node import LedgerNode

AREA = Area("specification")
INTEGER: Mapping[str, Json] = {"type": "integer"}
FAILURES: list[Exception] = []


@AREA.method(
    "subtract",
    params=(Param("minuend", INTEGER, "from"), Param("subtrahend", INTEGER, "what", 0)),
    result=INTEGER,
)
def subtract(call: Call, minuend: int, subtrahend: int) -> Json:
    """The specification's example."""
    return minuend - subtrahend


@AREA.method("fail", result=INTEGER)
async def fail(call: Call) -> Json:
    """Raises what the test wants."""
    raise FAILURES[-1]


@AREA.method("fail_scan", result=INTEGER, scan=True)
def fail_scan(call: Call) -> Json:
    """The same from a scan."""
    raise FAILURES[-1]


@AREA.method("large", result={"type": "string"})
def large(call: Call) -> Json:
    """An eighth of what a batch may answer."""
    return "x" * (MAX_RESPONSE // 8)


@pytest.fixture
def spec(node: LedgerNode) -> Caller:
    return Caller(node, MethodTable(AREA.methods))


def code(answer: object) -> object:
    assert isinstance(answer, dict), answer
    assert answer["jsonrpc"] == "2.0"
    assert "result" not in answer
    return answer["error"]["code"]


def call(**members: object) -> dict[str, object]:
    return {"jsonrpc": "2.0", "id": 1, "method": "subtract", "params": [42, 23], **members}


@pytest.mark.parametrize("params", [[42, 23], {"minuend": 42, "subtrahend": 23}, {"subtrahend": 23, "minuend": 42}])
def test_positional_and_named(spec: Caller, params: object) -> None:
    assert spec.send(call(params=params)) == {"jsonrpc": "2.0", "result": 19, "id": 1}


@pytest.mark.parametrize("request_id", [0, 1, -1, 2**100, 1.5, "", "ü", "1", None])
def test_ids_come_back_as_they_were(spec: Caller, request_id: object) -> None:
    answer = spec.send(call(id=request_id))
    assert answer["id"] == request_id
    assert type(answer["id"]) is type(request_id)


@pytest.mark.parametrize(("params", "result"), [([7], 7), ({"minuend": 7}, 7), ([7, None], 7)])
def test_defaults(spec: Caller, params: object, result: int) -> None:
    assert spec.send(call(params=params))["result"] == result


@pytest.mark.parametrize(
    ("document", "expected", "request_id"),
    [
        (1, -32600, None),
        ("x", -32600, None),
        (None, -32600, None),
        ({}, -32600, None),
        ([], -32600, None),
        ({"id": 5}, -32600, 5),
        (call(jsonrpc="1.0"), -32600, 1),
        (call(jsonrpc=2.0), -32600, 1),
        ({"id": 1, "method": "subtract"}, -32600, 1),
        (call(method=1), -32600, 1),
        (call(method=None), -32600, 1),
        (call(params="bar"), -32600, 1),
        (call(params=None), -32600, 1),
        (call(params=1), -32600, 1),
        (call(id=True), -32600, None),
        (call(id=[1]), -32600, None),
        (call(id={}), -32600, None),
        (call(method="foobar"), -32601, 1),
        (call(method=""), -32601, 1),
        (call(method="Subtract"), -32601, 1),
        (call(params=[]), -32602, 1),
        (call(params=["42"]), -32602, 1),
        (call(params=[1, 2, 3]), -32602, 1),
        (call(params={"minuend": 1, "more": 2}), -32602, 1),
        (call(params={"subtrahend": 1}), -32602, 1),
        (call(params=[None]), -32602, 1),
    ],
)
def test_wrong_requests(spec: Caller, document: object, expected: int, request_id: object) -> None:
    answer = spec.send(document)
    assert code(answer) == expected
    assert answer["id"] == request_id
    assert answer["error"]["data"]["code"]


def test_the_error_of_a_parameter_says_which(spec: Caller) -> None:
    error = spec.send(call(params={"minuend": "1"}))["error"]
    assert error["data"] == {"code": "bad-params", "param": "minuend", "problem": "must be of type integer"}
    assert "help subtract" in error["message"]


@pytest.mark.parametrize("body", [b'{"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz]', b"", b"[", b"\xff"])
def test_what_is_not_json(spec: Caller, body: bytes) -> None:
    reply = spec.reply(body).body
    assert reply is not None
    answer = json.loads(reply)
    assert (code(answer), answer["id"]) == (-32700, None)


def test_the_specification_s_batch(spec: Caller) -> None:
    answers = spec.send(
        [
            call(id="1"),
            {"jsonrpc": "2.0", "method": "subtract", "params": [7]},
            call(id="2"),
            {"foo": "boo"},
            call(method="foo.get", id="5"),
        ]
    )
    assert [(answer.get("result"), answer.get("error", {}).get("code"), answer["id"]) for answer in answers] == [
        (19, None, "1"),
        (19, None, "2"),
        (None, -32600, None),
        (None, -32601, "5"),
    ]
    assert [code(answer) for answer in spec.send([1, 2, 3])] == [-32600] * 3


def test_notifications_are_carried_out_in_silence(spec: Caller, rpc: Caller, node: LedgerNode) -> None:
    def notification(method: str, *params: object) -> dict[str, object]:
        return {"jsonrpc": "2.0", "method": method, "params": params}

    assert spec.send(notification("subtract", "wrong")) is None
    assert spec.send(notification("nothing")) is None
    assert spec.send([notification("subtract", 1), notification("nothing")]) is None
    assert rpc.send(notification("generate", 2)) is None
    assert node.view().height == 4


def test_batches_are_bounded(spec: Caller) -> None:
    assert len(spec.send([call()] * MAX_BATCH)) == MAX_BATCH
    assert code(spec.send([call()] * (MAX_BATCH + 1))) == -32600


def test_a_batch_cannot_grow_without_bound(spec: Caller) -> None:
    answers = spec.send([call(method="large", params=[])] * 20)
    assert [("result" in answer) for answer in answers] == [True] * 8 + [False] * 12
    assert {code(answer) for answer in answers[8:]} == {-32002}


@pytest.mark.parametrize("method", ["fail", "fail_scan"])
@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (
            RuleError("name-taken", "it is", name="a", expires=5),
            (-26, {"code": "name-taken", "name": "a", "expires": 5}),
        ),
        (HeldError("time-too-new", "wait"), (-26, {"code": "time-too-new"})),
        (CodecError("truncated", "too short"), (-5, {"code": "truncated"})),
        (StoreError("disk-full", "no room"), (-1, {"code": "disk-full"})),
    ],
)
def test_the_ledger_s_errors_keep_their_word(
    spec: Caller, method: str, failure: LedgerError, expected: tuple[int, dict[str, object]]
) -> None:
    FAILURES.append(failure)
    error = spec.send(call(method=method, params=[]))["error"]
    assert (error["code"], error["data"]) == expected
    assert error["message"] == failure.message


@pytest.mark.parametrize(
    "failure", [ValueError("secret"), RecursionError(), KeyError("secret"), ExceptionGroup("", [OSError()])]
)
def test_what_nobody_foresaw_is_logged_and_not_shown(
    spec: Caller, failure: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    FAILURES.append(failure)
    with caplog.at_level(logging.ERROR, "meshchain.rpc"):
        answer = spec.send(call(method="fail", params=[]))
    assert code(answer) == -32603
    assert "secret" not in json.dumps(answer)
    assert caplog.records[-1].exc_info


def test_a_missing_cookie_is_told_and_nothing_is_done(rpc: Caller, node: LedgerNode) -> None:
    rpc.authenticated = False
    stop = {"jsonrpc": "2.0", "method": "stop", "id": 1}
    reply = rpc.reply(json.dumps([stop, {**stop, "method": "uptime"}]).encode())
    assert reply.cookie_missing
    assert reply.body is not None
    assert [answer.get("error", {}).get("code") for answer in json.loads(reply.body)] == [-32001, None]
    silent = rpc.reply(b'{"jsonrpc": "2.0", "method": "stop"}')
    assert (silent.body, silent.cookie_missing) == (None, True)
    assert node.stops == 0


def test_every_call_is_observed_under_a_name_of_the_table(node: LedgerNode) -> None:
    seen: list[tuple[str, str, float]] = []
    spec = Caller(node, MethodTable(AREA.methods))
    spec.dispatcher = Dispatcher(
        spec.table, node, clock=count().__next__, observe=lambda *observed: seen.append(observed)
    )
    spec.send([call(), call(method="x" * 50), call(params=[])])
    assert seen == [("subtract", "ok", 2), ("unknown", "-32601", 1), ("subtract", "-32602", 1)]


METHODS = [method.name for method in method_table() if method.name not in ("generate", "stop")]
WORDS = st.sampled_from(
    ["alice", "bob.mesh", "", "02" + "79" * 32, "00" * 32, "ab" * 64, "owner", "prefix", "\ud83d\ude00"]
)
JSONS: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**100), 2**100)
    | st.floats(allow_nan=False, allow_infinity=False)
    | WORDS
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
REQUESTS = st.fixed_dictionaries(
    {"jsonrpc": st.just("2.0") | JSONS},
    optional={"id": JSONS, "method": st.sampled_from(METHODS) | JSONS, "params": st.lists(JSONS, max_size=5) | JSONS},
)
CALLS = st.fixed_dictionaries(
    {
        "jsonrpc": st.just("2.0"),
        "id": st.just(1),
        "method": st.sampled_from(METHODS),
        "params": st.lists(JSONS, max_size=5),
    }
)


def _is_answer(answer: object) -> bool:
    return isinstance(answer, dict) and answer["jsonrpc"] == "2.0" and (("error" in answer) != ("result" in answer))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=100)
    | st.one_of(REQUESTS, st.lists(REQUESTS, max_size=4), JSONS).map(lambda document: json.dumps(document).encode())
)
def test_any_bytes_give_an_answer_or_nothing(rpc: Caller, body: bytes) -> None:
    reply = rpc.reply(body).body
    if reply is not None:
        answer = json.loads(reply)
        assert all(map(_is_answer, answer)) if isinstance(answer, list) else _is_answer(answer)
        assert b"-32603" not in reply


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(CALLS)
def test_no_parameters_make_a_method_fail_unforeseen(rpc: Caller, document: dict[str, Any]) -> None:
    answer = rpc.send(document)
    assert _is_answer(answer)
    method = rpc.table.get(document["method"])
    assert method is not None
    assert "result" in answer or answer["error"]["code"] in method.errors
