"""DNS cookies (RFC 7873): who returns ours has shown that it receives at its address.

Server cookies have RFC 9018's layout: version, three zero bytes, time (u32), 8 bytes of a keyed hash over the client's
cookie, these, and the client's address. The hash is BLAKE2s under a secret of this run; other servers need not verify
it. Valid for an hour; a client gets a new one with every answer.
"""

import hashlib
import hmac
from typing import Final

CLIENT_SIZE: Final = 8
_SERVER_SIZE: Final = 16
_LIFE: Final = 3600
_AHEAD: Final = 300


class Cookies:
    def __init__(self, secret: bytes) -> None:
        """``secret``: 32 random bytes."""
        self._secret = secret

    def make(self, client: bytes, address: str, now: float) -> bytes:
        """The whole option: the client's 8 bytes and ours."""
        head = b"\1\0\0\0" + (int(now) & 0xFFFFFFFF).to_bytes(4, "big")
        return client + head + self._digest(client, head, address)

    def verify(self, cookie: bytes, address: str, now: float) -> bool:
        """Whether the option holds a cookie that we gave to this address within the hour."""
        client, server = cookie[:CLIENT_SIZE], cookie[CLIENT_SIZE:]
        if len(server) != _SERVER_SIZE or server[:4] != b"\1\0\0\0":
            return False
        age = (int(now) - int.from_bytes(server[4:8], "big") + 2**31) % 2**32 - 2**31
        fresh = -_AHEAD <= age <= _LIFE
        return fresh and hmac.compare_digest(server[8:], self._digest(client, server[:8], address))

    def _digest(self, client: bytes, head: bytes, address: str) -> bytes:
        return hashlib.blake2s(client + head + address.encode(), key=self._secret, digest_size=8).digest()
