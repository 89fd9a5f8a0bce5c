"""The server about itself: help, OpenRPC, uptime, stop."""

import time
from typing import Final

from meshchain.rpc import errors, helptext, openrpc
from meshchain.rpc.json_text import Json
from meshchain.rpc.methods import shapes
from meshchain.rpc.registry import Area, Call, Example, Param

AREA: Final = Area("control")


@AREA.method(
    "help",
    params=(Param("method", shapes.TEXT, "One method in detail", None),),
    result=shapes.TEXT,
    fails=(errors.ABSENT,),
    examples=(
        Example("all methods", [], "== names ==\nname_show name [options] ..."),
        Example("one method", ["name_show"], "name_show name [options]\n..."),
        Example("no such method", ["name_sell"], fails="no-such-method"),
    ),
)
def help_(call: Call, method: str | None) -> Json:
    """The methods of this server, or one of them in detail."""
    if method is None:
        return helptext.overview(call.table)
    known = call.table.get(method)
    if known is None:
        raise errors.absent("no-such-method", f"no method is called {method[:80]!r}; `help` lists them")
    return helptext.details(known)


@AREA.method(
    "rpc.discover",
    result=shapes.OBJECT,
    result_name="OpenRPC document",
    examples=(Example("this document", [], {"openrpc": openrpc.OPENRPC_VERSION}),),
)
def discover(call: Call) -> Json:
    """This server's methods as an OpenRPC document."""
    return openrpc.document(call.table, call.node.params.name)


@AREA.method("uptime", result=shapes.INTEGER, examples=(Example("an hour", [], 3600),))
def uptime(call: Call) -> Json:
    """Seconds since the node started."""
    return max(0, int(time.time() - call.node.started))


@AREA.method("stop", result=shapes.TEXT, access="cookie", examples=(Example("stop", [], "meshd is stopping"),))
def stop(call: Call) -> Json:
    """Stop the node cleanly."""
    call.node.stop()
    return "meshd is stopping"
