"""The least that a router in Python can be: read, the seals that a packet needs, write. No routes, no checks, no names.

``python -m bench.router.relay end TUN OWN OTHER`` seals for the far end and then for the next hop, as our routers do;
``… middle OWN OTHER OWN OTHER`` opens what one neighbour has sealed and seals it for the other. Addresses are IPv6, the
keys are everybody's. How long an echo takes over three of these is what is left for all that makes a router one.
"""

import os
import select
import socket
import sys
from collections.abc import Callable, Sequence
from struct import Struct
from typing import Final, TypeAlias

from meshchain.crypto import Aead
from meshrouter.host.launcher import NICE
from meshrouter.tun.device import opened

Work: TypeAlias = Callable[[bytes], bytes | None]

PORT: Final = 5000
_LARGEST: Final = 2000
_COUNTER: Final = Struct(">4xQ")


class Seal:
    """Both directions under one key: fine for zeros and echoes, and for nothing else."""

    def __init__(self, key: bytes) -> None:
        self._aead = Aead(key)
        self._sent = 0

    def seal(self, text: bytes) -> bytes:
        self._sent += 1
        nonce = _COUNTER.pack(self._sent)
        return nonce + self._aead.seal(nonce, text, nonce)

    def open(self, sealed: bytes) -> bytes | None:
        nonce = sealed[:12]
        return self._aead.open(nonce, sealed[12:], nonce)


def main(kind: str, *words: str) -> None:
    """Until it is ended."""
    hop, far = Seal(b"h" * 32), Seal(b"f" * 32)
    if kind == "end":
        name, own, other = words
        ways = opened(name, vnet=False), _socket(own, other)
        relay(ways, (lambda packet: hop.seal(far.seal(packet)), lambda frame: far.open(hop.open(frame) or b"")))
    else:
        ways = _socket(*words[:2]), _socket(*words[2:])
        relay(ways, (lambda frame: hop.seal(hop.open(frame) or b""),) * 2)


def relay(files: tuple[int, int], works: Sequence[Work]) -> None:
    """What comes from either file goes to the other, after its work."""
    poll = select.epoll()
    for file in files:
        poll.register(file, select.EPOLLIN)
    to = {files[0]: (files[1], works[0]), files[1]: (files[0], works[1])}
    while True:
        for file, _ in poll.poll():
            out, work = to[file]
            try:
                os.write(out, work(os.read(file, _LARGEST)) or b"")
            except OSError as error:  # nobody listens yet, or the device is still down
                sys.stderr.write(f"{error}\n")


def _socket(own: str, other: str) -> int:
    made = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    made.bind((own, PORT))
    made.connect((other, PORT))
    return made.detach()


if __name__ == "__main__":
    os.setpriority(os.PRIO_PROCESS, 0, NICE)
    main(*sys.argv[1:])
