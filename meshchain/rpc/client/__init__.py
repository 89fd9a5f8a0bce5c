"""How programs talk to a node: standard library and click only, so that the commands start at once.

``connection`` speaks JSON-RPC, ``datadir`` says where the cookie and the wallet lie, ``commandline`` is what
meshctl and meshwallet have in common.
"""

from meshchain.rpc.client.connection import Client
from meshchain.rpc.client.errors import ClientError, NodeRefused, NodeUnreachable, WrongUse

__all__ = ["Client", "ClientError", "NodeRefused", "NodeUnreachable", "WrongUse"]
