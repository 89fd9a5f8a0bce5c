"""The OpenRPC document: complete, closed, and true of the server that hands it out."""

import json
import re
from typing import Any, cast

import pytest

from meshchain.rpc import errors
from meshchain.rpc.methods import method_table
from meshchain.rpc.registry import Area, Call, Example, Method, MethodTable
from meshchain.rpc.schema import Schema, check, check_schema
from tests.rpc.caller import Caller
from tests.rpc.ledger_node import LedgerNode

METHODS = list(method_table())
EXAMPLES = [(method, example) for method in METHODS for example in method.examples]

NAMED_BY_THE_INTERFACE = [
    "name_show",
    "name_scan",
    "name_history",
    "name_list",
    "name_pending",
    "name_new",
    "name_firstupdate",
    "name_update",
    "name_checkdb",
    "name_proof",
    "getblockchaininfo",
    "getblockcount",
    "getbestblockhash",
    "getblockhash",
    "getblock",
    "getblockheader",
    "getchaintips",
    "getrawmempool",
    "getmininginfo",
    "getpeerinfo",
    "getnetworkinfo",
    "sendoperation",
    "queueoperation",
    "listqueue",
    "generate",
    "acceptchain",
    "verifymessage",
    "signnodeproof",
    "uptime",
    "help",
    "stop",
    "rpc.discover",
    "mesh_identity",
    "mesh_status",
    "mesh_neighbours",
    "mesh_routes",
    "mesh_sessions",
    "mesh_resolve",
    "mesh_ping",
    "mesh_traceroute",
    "tls_check",
    "dns_resolve",
    "name_commitment",
    "checkchain",
    "listbanned",
]


@pytest.fixture
def document(rpc: Caller) -> dict[str, Any]:
    return cast("dict[str, Any]", rpc.result("rpc.discover"))


def resolve(document: dict[str, Any], reference: str) -> Any:  # noqa: ANN401 - JSON
    found: Any = document
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return found


def test_nothing_is_missing(document: dict[str, Any]) -> None:
    names = [method["name"] for method in document["methods"]]
    assert sorted(names) == sorted(NAMED_BY_THE_INTERFACE)
    assert re.fullmatch(r"1\.\d+\.\d+", document["openrpc"])
    assert document["info"]["title"]
    assert document["info"]["version"]


def test_the_document_is_closed_and_well_formed(document: dict[str, Any], rpc: Caller) -> None:
    for method in document["methods"]:
        assert method["summary"].endswith((".", "]"))
        for param in method["params"]:
            check_schema(param["schema"])
            assert param["description"]
        required = [param["required"] for param in method["params"]]
        in_order = required == sorted(required, reverse=True)  # Namecoin's order puts name_firstupdate's options last
        assert in_order or method["name"] == "name_firstupdate"
        check_schema(method["result"]["schema"])
        for error in method["errors"]:
            assert resolve(document, error["$ref"])["message"]
        for example in method["examples"]:
            named = {param["name"]: param["schema"] for param in method["params"]}
            for value in example["params"]:
                if value["value"] is not None:
                    check(value["value"], named[value["name"]])
            check(example["result"]["value"], method["result"]["schema"])


def test_every_method_dispatches(document: dict[str, Any], rpc: Caller) -> None:
    """Called with parameters that fit none, each answers −32602 or a result, never "no such method"."""
    for method in document["methods"]:
        answer = rpc.send({"jsonrpc": "2.0", "id": 1, "method": method["name"], "params": {"no such": 1}})
        assert answer["error"]["code"] == errors.INVALID_PARAMS


@pytest.mark.parametrize(("method", "example"), EXAMPLES, ids=[f"{m.name}: {e.summary}" for m, e in EXAMPLES])
def test_every_example_runs(rpc: Caller, method: Method, example: Example) -> None:
    if example.fails is None:
        rpc.result(method.name, *example.params)
    else:
        assert rpc.error(method.name, *example.params)["data"]["code"] == example.fails
    named = dict(zip((param.name for param in method.params), example.params, strict=False))
    answer = rpc.send({"jsonrpc": "2.0", "id": 1, "method": method.name, "params": named})
    assert ("error" in answer) == (example.fails is not None)


def test_every_method_has_an_example_and_a_help_text(rpc: Caller) -> None:
    overview = rpc.result("help")
    for method in METHODS:
        assert method.examples, method.name
        assert method.name in overview
        text = rpc.result("help", method.name)
        assert all(param.description in text for param in method.params)
        assert "{" not in text.split("Examples:")[0].replace("{}", ""), "help is for people"


def test_the_document_survives_json(document: dict[str, Any]) -> None:
    assert json.loads(json.dumps(document)) == document


def test_the_table_refuses_doubles_and_unchecked_schemas() -> None:
    area = Area("a")

    def handler(call: Call) -> None:
        """Nothing."""

    for schema in ({"type": "null"}, {"type": "null"}, {"type": "string", "format": "uri"}):
        area.method("m", result=cast("Schema", schema))(handler)
    with pytest.raises(ValueError, match="two methods"):
        MethodTable(area.methods[:2])
    with pytest.raises(ValueError, match="nothing checks"):
        MethodTable(area.methods[2:])


def test_the_document_names_the_network(document: dict[str, Any], node: LedgerNode) -> None:
    assert repr(node.params.name) in document["info"]["description"]
