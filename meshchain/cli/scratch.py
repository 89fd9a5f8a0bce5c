"""``--scratch``: a node of its own for a while. Temporary datadir, free ports, no TUN."""

import shlex
import socket
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

from meshchain.config import Config


@contextmanager
def scratch_values() -> Iterator[Mapping[str, str]]:
    """Option texts of a scratch node; its datadir exists until the context ends."""
    with tempfile.TemporaryDirectory(prefix="meshd-", ignore_cleanup_errors=True) as datadir:
        rpc, dns, p2p = free_ports(3)
        yield {
            "datadir": datadir,
            "rpc": f"127.0.0.1:{rpc}",
            "dns": f"127.0.0.1:{dns}",
            "p2p": f"[::]:{p2p}",
            "tun": "off",
        }


def free_ports(count: int) -> list[int]:
    """Different TCP ports of the loopback address that nothing listens on at the moment."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [sock.getsockname()[1] for sock in sockets]


def exports(config: Config) -> str:
    """Shell lines by which another terminal talks to this node."""
    variables = {
        "MESH_NETWORK": config.network,
        "MESH_DATADIR": str(config.datadir.parent),
        "MESH_RPC": f"http://{config.rpc}",
    }
    assignments = " ".join(f"{name}={shlex.quote(value)}" for name, value in variables.items())
    return f"# a temporary node; in another terminal:\nexport {assignments}"
