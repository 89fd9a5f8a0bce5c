"""TLS servers of the mesh, judged by the ledger."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, cast

from meshchain.config.values import Address, peer_address
from meshchain.mesh.targets import SUFFIX, NoTarget
from meshchain.rpc import errors
from meshchain.rpc.errors import RpcError
from meshchain.rpc.json_text import Json
from meshchain.rpc.methods import shapes
from meshchain.rpc.registry import Area, Call, Example, Param
from meshchain.tls import fetch
from meshchain.tls.fetch import FetchError
from meshchain.tls.lookup import Server, find_server
from meshchain.tls.report import WHY, Report, report

AREA: Final = Area("tls")
TIMEOUT: Final = 15.0
"""Seconds for connection and handshake."""
_RECORD: Final = shapes.table({"record": shapes.TEXT, "ok": shapes.BOOLEAN, "says": shapes.TEXT})
_RESULT: Final = shapes.table(
    {
        "host": shapes.TEXT, "port": shapes.INTEGER, "connected": shapes.TEXT, "ok": shapes.BOOLEAN,
        "reason": shapes.TEXT, "says": shapes.TEXT, "matched": shapes.nullable(shapes.TEXT),
        "depth": shapes.nullable(shapes.INTEGER), "certificates": shapes.INTEGER,
        "records": shapes.listing(_RECORD), "changes": shapes.listing(shapes.TEXT),
    }
)  # fmt: skip


@AREA.method(
    "tls_check",
    params=(
        shapes.NAME_PARAM,
        Param(
            "options",
            shapes.options({"port": {**shapes.INTEGER, "minimum": 1, "maximum": 65535}, "connect": shapes.TEXT}),
            "port: default 443; connect: HOST:PORT to connect to instead of the name's address",
            {},
        ),
    ),
    result=_RESULT,
    access="cookie",
    synced=True,
    fails=(errors.ABSENT, errors.BAD_VALUE),
    examples=(
        Example(
            "a server that is not there",
            ["alice", {"port": 443, "connect": "127.0.0.1:9"}],
            {
                "host": "alice.mesh", "port": 443, "connected": "127.0.0.1:9", "ok": False,
                "reason": "connect-failed", "says": "cannot connect to 127.0.0.1 port 9: …", "matched": None,
                "depth": None, "certificates": 0, "records": [], "changes": [],
            },
        ),
        Example("a free name", ["a-0"], fails="name-not-found"),
    ),
)  # fmt: skip
async def tls_check(call: Call, name: str, options: Mapping[str, Json]) -> Json:
    """Connect to a TLS server of the mesh and judge what it shows by the ledger, record by record.

    What cannot be reached or does not speak TLS is a reason in the result, not an error of the call.
    """
    port = shapes.optional_integer(options, "port") or 443
    server = _find(call, name, port)
    where = _where(shapes.optional_text(options, "connect"), server, port)
    head: dict[str, Json] = {"host": server.base, "port": port, "connected": str(where)}
    try:
        chain = await asyncio.to_thread(fetch.chain, where.host, where.port, server.base, timeout=TIMEOUT)
    except FetchError as error:
        return head | _unreached(error, server)
    now = datetime.now(UTC)
    made = await asyncio.to_thread(report, chain, server.records, host=server.base, port=port, now=now)
    return head | _form(made, len(chain))


def _find(call: Call, name: str, port: int) -> Server:
    host = name if name.lower().removesuffix(".").endswith(SUFFIX) else name + SUFFIX
    try:
        return find_server(call.view, host, port)
    except NoTarget as none:
        code = errors.ABSENT if none.is_absent else errors.BAD_VALUE
        raise RpcError(code, none.code, none.message, name=name) from None


def _where(connect: str | None, server: Server, port: int) -> Address:
    if connect is None:
        return Address(server.ip6, port)
    try:
        return peer_address(connect)
    except ValueError as error:
        raise errors.bad_value("bad-address", f"connect {connect[:80]!r}: {error}") from None


def _unreached(error: FetchError, server: Server) -> dict[str, Json]:
    records = [{"record": str(record), "ok": False, "says": "not compared"} for record in server.records]
    return {
        "ok": False, "reason": error.code, "says": error.message, "matched": None, "depth": None, "certificates": 0,
        "records": cast("Json", records), "changes": [],
    }  # fmt: skip


def _form(made: Report, certificates: int) -> dict[str, Json]:
    verdict = made.verdict
    records = [{"record": str(line.record), "ok": line.ok, "says": line.says} for line in made.lines]
    return {
        "ok": verdict.ok, "reason": verdict.reason, "says": WHY[verdict.reason],
        "matched": str(verdict.matched) if verdict.matched else None, "depth": verdict.depth,
        "certificates": certificates, "records": cast("Json", records), "changes": list(made.changes),
    }  # fmt: skip
