"""Ports of 127.0.0.1."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

RPC: Final = 29336
DNS: Final = 25336
"""Both are what the network dev uses where nobody says otherwise."""
TCP: Final = socket.SOCK_STREAM
UDP: Final = socket.SOCK_DGRAM
_ATTEMPTS: Final = 20


@contextmanager
def held(usual: int, *kinds: socket.SocketKind) -> Iterator[list[socket.socket]]:
    """A socket of each kind, all at the usual port, or at any free one where a program has it (0: any)."""
    for port in (usual, *[0] * _ATTEMPTS):
        with ExitStack() as stack:
            try:
                first = stack.enter_context(_open(port, kinds[0]))
                number = port_of(first)
                sockets = [first, *(stack.enter_context(_open(number, kind)) for kind in kinds[1:])]
            except OSError:
                continue
            yield sockets
            return
    raise SystemExit("no free port on 127.0.0.1")


def port_of(opened: socket.socket) -> int:
    port: int = opened.getsockname()[1]
    return port


def _open(port: int, kind: socket.SocketKind) -> socket.socket:
    """TCP's listens: only then nobody else can have the port."""
    made = socket.socket(socket.AF_INET, kind)
    try:
        if kind == TCP:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(("127.0.0.1", port))
        if kind == TCP:
            made.listen()
    except OSError:
        made.close()
        raise
    return made
