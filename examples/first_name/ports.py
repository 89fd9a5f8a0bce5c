"""Ports of 127.0.0.1."""

import socket
from contextlib import suppress
from typing import Final

USUAL_RPC: Final = 29336
USUAL_DNS: Final = 25336


def reserved(usual: int, kind: socket.SocketKind) -> socket.socket:
    """A socket bound to the usual port, or to any free one where a program has it (0: any)."""
    for port in (usual, 0):
        held = socket.socket(socket.AF_INET, kind)
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with suppress(OSError):
            held.bind(("127.0.0.1", port))
            return held
        held.close()
    raise SystemExit("no free port on 127.0.0.1")
