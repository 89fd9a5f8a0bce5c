"""The two directions of a session: a key that is kept ready, and the numbers of its messages.

Of a message's 64-bit number only the low half travels; the receiver takes the number closest to the greatest that has
proven itself. Nonces are four zero bytes and the number, little-endian, as in Noise (§12.3). A number never serves
twice: a restarted node begins new sessions.
"""

from struct import Struct
from typing import Final

from meshchain.crypto import Aead
from meshrouter.handshake.replay import ReplayWindow

NONCE: Final = Struct("<4xQ")
LOW: Final = 0xFFFF_FFFF
HALF: Final = 0x8000_0000
MOST_MESSAGES: Final = 1 << 30
"""Under one key; a new handshake is due long before the nonces end (contract with the other side, which counts too)."""


def full_counter(low: int, greatest: int) -> int:
    """The number with these low 32 bits that is closest to ``greatest`` (−1 while there is none); may be negative."""
    return greatest + ((low - greatest + HALF) & LOW) - HALF


class Sealer:
    """What we send. ``index``: the receiver's number of the session (u32); ``counter``: of the next message."""

    __slots__ = ("aead", "counter", "index")

    def __init__(self, key: bytes, index: int) -> None:
        self.aead = Aead(key)
        self.counter = 0
        self.index = index

    def take(self) -> int:
        """A number, for the one message to be sealed under it; its low half (``& LOW``) travels."""
        counter = self.counter
        self.counter = counter + 1
        return counter

    def seal(self, counter: int, plaintext: bytes, associated: bytes) -> bytes:
        """Ciphertext and tag. ``counter``: just taken."""
        return self.aead.seal(NONCE.pack(counter), plaintext, associated)


class Opener:
    """What we receive, each message once."""

    __slots__ = ("_open", "window")

    def __init__(self, key: bytes, window: int) -> None:
        """``window``: how far (in messages, a multiple of 64) one may come behind the newest."""
        self._open = Aead(key).open
        self.window = ReplayWindow(window)

    def open(self, low: int, sealed: bytes, associated: bytes) -> bytes | None:
        """``low``: the 32 bits that travelled. None: replayed, too old, changed, or not of this session.

        The window moves only for what opened: a forged number must not make true messages look old.
        """
        window = self.window
        greatest = window.greatest
        counter = low if low == greatest + 1 else full_counter(low, greatest)
        if counter <= greatest and not window.fresh(counter):
            return None
        plaintext = self._open(NONCE.pack(counter), sealed, associated)
        if plaintext is not None:
            window.seen(counter)
        return plaintext
