"""A link session: the two keys that one handshake gave, the counters under them, and a window against replay.

This is the hot path of a router: every frame goes through ``seal`` or ``open`` once. So there is no object per frame,
and nothing raises that a stranger can cause; what is not good is None.
"""

from typing import Final

from meshrouter.handshake.ciphers import LOW, MOST_MESSAGES, NONCE, Opener, Sealer
from meshrouter.handshake.replay import ReplayWindow
from meshrouter.links.link import Cars
from meshrouter.wire.frame import FRAME, HEADER_SIZE, TAG_SIZE, VERSION
from meshrouter.wire.train import coupled, train_aad

WINDOW: Final = 1024
"""Frames that one may come behind the newest: 12 MB of traffic on its way."""


class LinkSession:
    """Both directions between two neighbours.

    ``index`` is ours (what comes to it is for ``open``), ``send_index`` the neighbour's; ``initiator`` tells who began
    the handshake, ``made`` when it ended.
    """

    __slots__ = ("index", "initiator", "made", "opener", "sealer")

    def __init__(
        self, index: int, send_index: int, send: bytes, receive: bytes, *, initiator: bool = True, made: float = 0.0
    ) -> None:
        """``send``, ``receive``: the keys, 32 bytes each."""
        self.index = index
        self.initiator = initiator
        self.made = made
        self.sealer = Sealer(send, send_index)
        self.opener = Opener(receive, WINDOW)

    @property
    def send_index(self) -> int:
        return self.sealer.index

    @property
    def window(self) -> ReplayWindow:
        return self.opener.window

    @property
    def proven(self) -> bool:
        """Whether a frame has come that only the other side can have made, and only after the handshake."""
        return self.opener.window.greatest >= 0

    @property
    def spent(self) -> bool:
        """Whether either direction has used up what one key may seal."""
        return self.sealer.counter >= MOST_MESSAGES or self.opener.window.greatest >= MOST_MESSAGES

    def seal(self, kind: int, payload: bytes) -> bytes:
        """A whole frame of a sealed type, 28 bytes longer than ``payload`` (at most 65,519 bytes)."""
        sealer = self.sealer
        counter = sealer.counter
        sealer.counter = counter + 1
        header = FRAME.pack(VERSION << 5 | kind, 0, len(payload) + TAG_SIZE, sealer.index, counter & LOW)
        return header + sealer.aead.seal(NONCE.pack(counter), payload, header)

    def open(self, frame: bytes) -> bytes | None:
        """The plaintext of a frame of at least 12 bytes that came to our index; bytes beyond its length are cut off.

        None: changed, shorter than it says (the tag is over the length, too), replayed, older than the window.
        """
        _, _, length, _, low = FRAME.unpack_from(frame)
        return self.opener.open(low, frame[HEADER_SIZE : HEADER_SIZE + length], frame[:HEADER_SIZE])

    def seal_cars(self, packet: bytes, piece_size: int) -> Cars:
        """One MESHP packet as frames of a train, sealed once. ``piece_size``: ciphertext bytes in each but the last.

        ValueError if that takes more than 45 frames: a number in a header would overflow.
        """
        counter = self.sealer.take()
        index, low = self.sealer.index, counter & LOW
        sealed = self.sealer.seal(counter, packet, train_aad(index, low))
        return Cars(coupled(sealed, piece_size, index, low), HEADER_SIZE + min(piece_size, len(sealed)))
