"""How programs talk to a node: standard library and click only, so that the commands start at once.

``connection`` speaks JSON-RPC, ``datadir`` says where the cookie and the wallet lie, ``commandline`` is what
meshctl and meshwallet have in common.
"""

from typing import TYPE_CHECKING

from meshchain.rpc.client.errors import ClientError, NodeRefused, NodeUnreachable, WrongUse

if TYPE_CHECKING:
    from meshchain.rpc.client.connection import Client

__all__ = ["Client", "ClientError", "NodeRefused", "NodeUnreachable", "WrongUse"]


def __getattr__(name: str) -> object:
    """``Client`` on demand (PEP 562): the standard library's HTTP client is a fifth of the time of ``--help``."""
    if name != "Client":
        raise AttributeError(name)
    from meshchain.rpc.client.connection import Client

    return Client
