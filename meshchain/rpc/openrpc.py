"""The method table as an OpenRPC 1.3 document (spec.open-rpc.org)."""

from meshchain import __version__
from meshchain.rpc import errors
from meshchain.rpc.json_text import Json
from meshchain.rpc.registry import Example, Method, MethodTable, Param

OPENRPC_VERSION = "1.3.2"


def document(table: MethodTable, network: str) -> dict[str, Json]:
    """The answer to ``rpc.discover``."""
    return {
        "openrpc": OPENRPC_VERSION,
        "info": {
            "title": "meshchain",
            "version": __version__,
            "description": f"JSON-RPC 2.0 of a node on the network {network!r}: POST to /, batches allowed.",
            "license": {"name": "MIT"},
        },
        "methods": [_method(method) for method in table],
        "components": {"errors": {_error_name(code): _error(code) for code in errors.MEANINGS}},
    }


def _method(method: Method) -> dict[str, Json]:
    return {
        "name": method.name,
        "tags": [{"name": method.area}],
        "summary": method.summary,
        "description": method.description,
        "paramStructure": "either",
        "params": [_param(param) for param in method.params],
        "result": {"name": method.result_name, "schema": method.result},
        "errors": [{"$ref": f"#/components/errors/{_error_name(code)}"} for code in method.errors],
        "examples": [_example(method, example) for example in method.examples if example.fails is None],
        "x-access": method.access,
        "x-needs-sync": method.synced,
    }


def _param(param: Param) -> dict[str, Json]:
    schema = param.schema if param.required else {**param.schema, "default": param.default}
    return {"name": param.name, "description": param.description, "required": param.required, "schema": schema}


def _example(method: Method, example: Example) -> dict[str, Json]:
    given = zip(method.params, example.params, strict=False)
    return {
        "name": example.summary,
        "params": [{"name": param.name, "value": value} for param, value in given],
        "result": {"name": method.result_name, "value": example.result},
    }


def _error_name(code: int) -> str:
    return f"code{code}"


def _error(code: int) -> dict[str, Json]:
    return {"code": code, "message": errors.MEANINGS[code]}
