"""One session between two addresses: the keys of one handshake. Every packet from and to the TUN goes through here.

No object is made per packet but the bytes themselves; nothing raises that a stranger can cause.
"""

from collections import OrderedDict
from struct import Struct
from typing import TYPE_CHECKING, Final, cast

from meshchain.crypto.address import PREFIX
from meshrouter.handshake import Opener, Sealer, full_counter
from meshrouter.handshake.ciphers import LOW, NONCE
from meshrouter.wire.packet import MESHSEC
from meshrouter.wire.sec import SEC

if TYPE_CHECKING:
    from meshrouter.sessions.pair import Pair

WINDOW: Final = 8192
"""Packets that one may come behind the newest: several paths, and queues of different lengths on them."""
RECENT: Final = 65_536
"""Packets for which errors are still heard: a second's at full rate."""
QUOTED: Final = 128
"""Bytes kept of a packet so that an error can be told to whoever sent it: headers and ports."""
MOST_PROBES: Final = 64
"""Packets of small hop limit kept so (traceroute sends 16 at once)."""
PROBE_HOPS: Final = 32
ALWAYS: Final = float("-inf")
LARGE: Final = 8192
"""Bytes from which a view is cheaper than a copy."""

HEAD: Final = Struct(">IHBB")
"""First word, payload length, next header, hop limit: what MESHP and IPv6 have before the addresses."""
_ZONE: Final = Struct(">H")


class EndSession:
    """``initiator``: we have begun it. ``due``: from when on a packet makes the machine look at the session."""

    __slots__ = (
        "_associated",
        "_ends",
        "addresses",
        "born",
        "bytes_in",
        "bytes_out",
        "caps",
        "due",
        "ephemeral",
        "index",
        "initiator",
        "last",
        "opener",
        "pair",
        "probes",
        "proven",
        "response",
        "sealer",
        "told_mtu",
        "used",
    )

    def __init__(
        self, pair: "Pair", index: int, remote_index: int, send: bytes, receive: bytes, *, initiator: bool, now: float
    ) -> None:
        """``index``: ours, by which packets find the session; ``send``, ``receive``: keys, 32 bytes."""
        self.pair = pair
        self.index = index
        self.sealer = Sealer(send, remote_index)
        self.opener = Opener(receive, WINDOW)
        self.initiator = initiator
        self.proven = initiator
        """Whether the other side is known to have the keys: then we may send. A responder knows by the first packet."""
        self.born = now
        self.used = now
        """When a packet last went or came."""
        self.due = ALWAYS
        self.told_mtu = 0xFFFF
        self.caps = 0
        """What the other end has said of itself, in the handshake."""
        self.addresses = pair.other + pair.own
        """Source and destination of what comes."""
        self.ephemeral = b""
        """Of the INIT, if the other side has begun it."""
        self.response = b""
        """What has answered that, while it is not proven."""
        self.last = b""
        """The beginning of the packet sent last."""
        self.probes: OrderedDict[int, bytes] = OrderedDict()
        """The same, of those with a small hop limit, by counter."""
        self.bytes_in = 0
        self.bytes_out = 0
        zone = _ZONE.pack(pair.zone)
        self._associated = pair.own_id + pair.id
        self._ends = zone + pair.own_id + zone + pair.id

    def seal(self, text: bytes, word: int, length: int, hops: int) -> bytes:
        """A whole MESHP packet around ``text``. ``length``: payload length that it says (0 in a train)."""
        sealer = self.sealer
        counter = sealer.counter
        sealer.counter = counter + 1
        sec = SEC.pack(sealer.index, counter & LOW)
        sealed = sealer.aead.seal(NONCE.pack(counter), text, self._associated + sec)
        return b"".join((HEAD.pack(word, length, MESHSEC, hops), self._ends, sec, sealed))

    def open(self, packet: bytes, low: int) -> bytes | None:
        """The text in a MESHP packet of at least 48 bytes, which has to be from and to the ids of this session.

        None: replayed, too old, changed, truncated.
        """
        if len(packet) < LARGE:
            return self.opener.open(low, packet[48:], packet[10:24] + packet[26:48])
        sealed = cast("bytes", memoryview(packet)[48:])  # the arms take any buffer, and the copy would cost 15 µs
        return self.opener.open(low, sealed, packet[10:24] + packet[26:48])

    def remember(self, packet: bytes, hops: int) -> None:
        """What was just sealed; so an error that quotes the seal can be told to the kernel, which knows the packet."""
        self.last = packet[:QUOTED]
        if hops <= PROBE_HOPS:
            self.probes[self.sealer.counter - 1] = self.last
            if len(self.probes) > MOST_PROBES:
                self.probes.popitem(last=False)

    def sent(self, low: int) -> int | None:
        """The counter that an error quotes, if a packet has lately been sealed under it.

        Counters have no gaps, so that nothing need be remembered to know which were sent.
        """
        newest = self.sealer.counter - 1
        counter = full_counter(low, newest)
        return counter if max(0, newest - RECENT) <= counter <= newest else None

    def quoted(self, counter: int) -> bytes:
        """The beginning of the IPv6 packet sent under a counter, or of the last one; empty if there was none."""
        return self.probes.get(counter, self.last)

    @property
    def peer(self) -> bytes:
        """The derived address of the other end."""
        return PREFIX + self.pair.id
