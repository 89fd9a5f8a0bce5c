"""What a node may try that holds a key of its own and does not keep to the protocol."""

from dataclasses import dataclass
from random import Random

from meshchain.crypto.address import node_id
from meshrouter.handshake import Finished, Initiation, Opener, Sealer
from meshrouter.handshake.ciphers import LOW
from meshrouter.identity import Identity
from meshrouter.sessions.handshakes import PROLOGUE
from meshrouter.wire.ends import END_INIT, END_RESPONSE, EndHandshake
from meshrouter.wire.handshake import EndPayload
from meshrouter.wire.packet import DESTINATION, MESHHS, MESHSEC, Packet
from meshrouter.wire.sec import SEC
from tests.router.sessions.world import GENESIS, Host, World


@dataclass
class Evil:
    """Begins a handshake with ``victim`` by hand."""

    world: World
    victim: Host
    identity: Identity
    seed: int = 0

    def __post_init__(self) -> None:
        self.rng = Random(f"evil {self.seed}")
        self.heard: list[bytes] = []
        self.world.rules.append(self._listen)

    def _listen(self, packet: bytes) -> list[bytes]:
        if packet[DESTINATION] == self.identity.id:
            self.heard.append(packet)
            return []
        return [packet]

    def payload(self, *, source: bytes | None = None, destination: bytes | None = None, mtu: int = 1472) -> bytes:
        ends = source or self.identity.address, destination or self.victim.address
        return EndPayload(self.identity.key, *ends, 4, mtu, 0).encode()

    def initiation(self, payload: bytes, victim_key: bytes | None = None) -> Initiation:
        index = self.rng.getrandbits(32)
        return Initiation(self.identity, victim_key or self.victim.key, PROLOGUE + GENESIS, payload, index, self.rng)

    def init(self, initiation: Initiation, source: bytes | None = None) -> bytes:
        """The whole packet. ``source``: the id it bears."""
        return self.packet(MESHHS, EndHandshake(END_INIT, 0, initiation.message()).encode(), source)

    def packet(self, next_header: int, payload: bytes, source: bytes | None = None) -> bytes:
        return Packet(
            next_header=next_header,
            source=source or self.identity.id,
            destination=self.victim.id,
            payload=payload,
        ).encode()

    def begin(self, payload: bytes, source: bytes | None = None) -> Finished | None:
        """Sends it; what the victim has answered, if it has."""
        initiation = self.initiation(payload)
        self.heard.clear()
        self.victim.receive(self.init(initiation, source))
        self.world.run(0.3)
        answers = [EndHandshake.decode(packet[40:]) for packet in self.heard if packet[6] == MESHHS]
        answers = [answer for answer in answers if answer.kind == END_RESPONSE and answer.index == initiation.index]
        return initiation.finish(answers[0].body) if answers else None

    def say(self, finished: Finished, text: bytes, counter: int = 0) -> bytes:
        """A MESHSEC packet of that session."""
        sec = SEC.pack(finished.remote_index, counter & LOW)
        sealer = Sealer(finished.send, finished.remote_index)
        sealed = sealer.seal(counter, text, self.identity.id + self.victim.id + sec)
        return self.packet(MESHSEC, sec + sealed)

    def opener(self, finished: Finished) -> Opener:
        return Opener(finished.receive, 64)


def mirrored(identity: Identity) -> Identity:
    """Of the same X25519 key: −A for A (the sign of x is the last bit of the key)."""
    key = identity.key[:31] + bytes((identity.key[31] ^ 0x80,))
    derived = node_id(key)
    assert derived is not None
    return Identity(identity.seed, key, derived, identity.static)
