"""The router of this node: its links and routes, ping and traceroute."""

from collections.abc import Mapping
from ipaddress import IPv6Address
from typing import Final, cast

from meshchain.ledger.errors import LocalError
from meshchain.mesh.targets import NoTarget, Target, find, is_address
from meshchain.rpc import errors
from meshchain.rpc.errors import RpcError
from meshchain.rpc.json_text import Json
from meshchain.rpc.methods import router_form, shapes
from meshchain.rpc.registry import Area, Call, Example, Param
from meshchain.rpc.schema import Schema

AREA: Final = Area("mesh router")

_ABSENT: Final = frozenset({"no-route"})
_TARGET: Final = Param("target", shapes.NAME, "A name, with or without .mesh, or a mesh address")
_START: Final = Param("start", {**shapes.INTEGER, "minimum": 0}, "How many to leave out", 0)
_COUNT: Final = Param("count", {**shapes.INTEGER, "minimum": 1, "maximum": 500}, "How many at most", 500)
_TIMEOUT: Final[Schema] = {"type": "number", "minimum": 0.001, "maximum": 60}
_KEY: Final = "ab" * 32
_SELF: Final = {"name": "alice", "key": _KEY, "ip6": "eeee:1:2::3"}


@AREA.method(
    "mesh_status",
    result=router_form.STATUS,
    fails=(errors.LOCAL_FAULT,),
    examples=(
        Example(
            "a node without links",
            [],
            {
                "key": _KEY, "name": None, "role": "guest", "zone": 0, "addresses": ["eeee:1:2::3"], "forwards": False,
                "tun": None, "uptime_s": 12.5, "links": [], "neighbours": 0, "routes": 0, "sessions": 0,
                "forwarded": 0, "delivered": 0, "rules": [], "off": [{"part": "tun", "reason": "--tun off"}],
                "counters": {},
            },
        ),
    ),
)  # fmt: skip
async def mesh_status(call: Call) -> Json:
    """The router: what it is, its links, what it carried, what it dropped and why."""
    return await _ask(call, "status", {})


@AREA.method(
    "mesh_neighbours",
    result=router_form.NEIGHBOURS,
    fails=(errors.LOCAL_FAULT,),
    examples=(Example("nobody", [], []),),
)
async def mesh_neighbours(call: Call) -> Json:
    """The proven nodes on this node's links, and how well they are heard."""
    return (await _ask(call, "neighbours", {}))["neighbours"]


@AREA.method(
    "mesh_routes",
    params=(_START, _COUNT),
    result=router_form.ROUTES,
    fails=(errors.LOCAL_FAULT,),
    examples=(Example("the nearest ten", [0, 10], []),),
)
async def mesh_routes(call: Call, start: int, count: int) -> Json:
    """The chosen route to every node of the zone, the nearest first, a page at a time.

    An empty page is the end.
    """
    return (await _ask(call, "routes", {"start": start, "count": count}))["routes"]


@AREA.method(
    "mesh_sessions",
    params=(_START, _COUNT),
    result=router_form.SESSIONS,
    fails=(errors.LOCAL_FAULT,),
    examples=(Example("no traffic yet", [], []),),
)
async def mesh_sessions(call: Call, start: int, count: int) -> Json:
    """The end-to-end sessions, the last used first, a page at a time.

    An empty page is the end.
    """
    return (await _ask(call, "sessions", {"start": start, "count": count}))["sessions"]


@AREA.method(
    "mesh_resolve",
    params=(_TARGET,),
    result=router_form.RESOLVED,
    fails=(errors.ABSENT, errors.BAD_VALUE, errors.SYNCING),
    examples=(
        Example("a name", ["alice"], {"name": "alice", "ip6": "eeee::1", "key": _KEY, "zone": 0}),
        Example("a free name", ["a-0"], fails="name-not-found"),
        Example("an address of another network", ["fe80::1"], fails="not-mesh"),
    ),
)
def mesh_resolve(call: Call, target: str) -> Json:
    """Address and key behind a name, a host of a name (phone.alice), or an address, by this node's ledger."""
    return _target_form(_find(call, "mesh_resolve", target))


@AREA.method(
    "mesh_ping",
    params=(
        _TARGET,
        Param(
            "options",
            shapes.options(
                {
                    "seq": {**shapes.INTEGER, "minimum": 0, "maximum": 65535},
                    "size": {**shapes.INTEGER, "minimum": 0, "maximum": 1227},
                    "timeout": _TIMEOUT,
                }
            ),
            "seq: number of the question; size: bytes beside its header; timeout: seconds",
            {},
        ),
    ),
    result=router_form.PING,
    fails=(errors.ABSENT, errors.BAD_VALUE, errors.SYNCING, errors.LOCAL_FAULT),
    examples=(
        Example(
            "a node three hops away",
            ["alice", {"timeout": 2}],
            {
                "name": "alice", "ip6": "eeee::1", "seq": 1, "size": 56, "problem": None, "rtt_ms": 3.52,
                "hops_there": 3, "hops_back": 3,
            },
        ),
        Example("a free name", ["a-0"], fails="name-not-found"),
    ),
)  # fmt: skip
async def mesh_ping(call: Call, target: str, options: Mapping[str, Json]) -> Json:
    """One echo through the end-to-end session with a node.

    What is missing in the answer's problem is a reply: it is no error of the call.
    """
    found = _find(call, "mesh_ping", target)
    asked = {"address": _address(found), "seq": 1, "size": 56, "timeout": 2.0, **_given(options)}
    return {"name": found.name, **await _ask(call, "ping", asked)}


@AREA.method(
    "mesh_traceroute",
    params=(
        _TARGET,
        Param(
            "options",
            shapes.options({"reverse": shapes.BOOLEAN, "timeout": _TIMEOUT}),
            "reverse: also the way back, default true; timeout: seconds",
            {},
        ),
    ),
    result=router_form.TRACE,
    fails=(errors.ABSENT, errors.BAD_VALUE, errors.SYNCING, errors.LOCAL_FAULT),
    examples=(
        Example(
            "a target that nothing is heard of",
            ["alice", {"reverse": False}],
            {
                **_SELF, "whole": False, "rtt_ms": None, "reverse": None,
                "forward": {
                    "reached": False, "whole": False,
                    "steps": [
                        {
                            "kind": "gap", "hop": 1, "missing": 0, "reason": "unreached",
                            "message": "nothing was heard from beyond", "suspects": [],
                        }
                    ],
                },
            },
        ),
        Example("a free name", ["a-0"], fails="name-not-found"),
    ),
)  # fmt: skip
async def mesh_traceroute(call: Call, target: str, options: Mapping[str, Json]) -> Json:
    """Every hop on the way to a node and back, by its own signed word.

    Each hop reports on the same packet, over the hash of the report before, and names the neighbours on both sides of
    it; who is silent, lies or forges shows as a gap.
    """
    found = _find(call, "mesh_traceroute", target)
    key = None if found.key is None else found.key.hex()
    asked = {"address": _address(found), "key": key, "reverse": True, "timeout": 3.0, **_given(options)}
    return await _ask(call, "traceroute", asked)


def _find(call: Call, method: str, target: str) -> Target:
    if not is_address(target):
        call.require_sync(method)
    try:
        return find(call.view, target)
    except NoTarget as none:
        code = errors.ABSENT if none.is_absent else errors.BAD_VALUE
        raise RpcError(code, none.code, none.message, target=target) from None


def _target_form(found: Target) -> Json:
    key = None if found.key is None else found.key.hex()
    return {"name": found.name, "ip6": _address(found), "key": key, "zone": found.zone}


def _address(found: Target) -> str:
    return str(IPv6Address(found.address))


def _given(options: Mapping[str, Json]) -> dict[str, Json]:
    return {name: value for name, value in options.items() if value is not None}


async def _ask(call: Call, method: str, params: Mapping[str, Json]) -> Mapping[str, Json]:
    try:
        return cast("Mapping[str, Json]", await call.node.mesh(method, params))
    except LocalError as error:
        code = errors.ABSENT if error.code in _ABSENT else errors.LOCAL_FAULT
        raise RpcError(code, error.code, error.message) from None
