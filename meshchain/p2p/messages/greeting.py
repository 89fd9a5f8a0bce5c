"""The greeting, the heartbeat and the farewell: Version, Ready, Ping, Pong, Goodbye."""

from dataclasses import dataclass
from typing import ClassVar, Final

from meshchain.ledger.codec import Value
from meshchain.ledger.errors import CodecError
from meshchain.ledger.params import Consensus
from meshchain.ledger.shape import U16, U32
from meshchain.p2p.messages.limits import ID_SIZE, MAX_AGENT, MAX_CODE, MAX_NETWORK, MAX_REASON, Limit
from meshchain.p2p.messages.reader import Reader

PROTOCOL: Final = 1
_VERSION_FIELDS: Final = 10
_VERSION_ROOM: Final = 32
"""Fields that a later protocol's Version may have; an older reader skips those it does not know."""


@dataclass(frozen=True, slots=True)
class Version:
    """The first message of both sides: which network, how far, which rules of gossip."""

    TYPE: ClassVar[int] = 0x01
    LIMIT: ClassVar[Limit] = Limit(512)

    protocol: int
    """u16, the highest that the sender speaks; both sides go by the smaller of theirs."""
    genesis: bytes
    network: str
    agent: str
    """Program and version, for the other side's operator; printable ASCII."""
    height: int
    work: int
    """Of the active chain, below 2^256; a claim that nothing relies on."""
    time: int
    """Unix seconds by the sender's clock."""
    nonce: int
    """u64, random: who meets its own has met itself."""
    listen_port: int
    """TCP port under which the sender takes connections; 0: none."""
    block_only: bool
    """No operations and no addresses on this connection."""

    def values(self) -> list[Value]:
        work = self.work.to_bytes(ID_SIZE, "big")
        head: list[Value] = [self.protocol, self.genesis, self.network, self.agent, self.height, work]
        return [*head, self.time, self.nonce, self.listen_port, self.block_only]

    @classmethod
    def read(cls, reader: Reader, _: Consensus) -> "Version":
        count = reader.count("version", _VERSION_FIELDS, _VERSION_ROOM)
        version = cls._read_known(reader)
        if version.protocol == PROTOCOL and count > _VERSION_FIELDS:
            raise CodecError("field-count", f"a version of protocol {PROTOCOL} has {_VERSION_FIELDS} fields")
        for _unknown in range(count - _VERSION_FIELDS):
            reader.skip()
        return version

    @classmethod
    def _read_known(cls, reader: Reader) -> "Version":
        return cls(
            protocol=reader.uint("protocol", U16, 1),
            genesis=reader.raw("genesis", ID_SIZE),
            network=reader.text("network", MAX_NETWORK),
            agent=reader.text("agent", MAX_AGENT),
            height=reader.uint("height", U32),
            work=int.from_bytes(reader.raw("work", ID_SIZE), "big"),
            time=reader.uint("time"),
            nonce=reader.uint("nonce"),
            listen_port=reader.uint("listen port", U16),
            block_only=reader.flag("block only"),
        )


@dataclass(frozen=True, slots=True)
class Ready:
    """The other side's Version is accepted: everything else may follow."""

    TYPE: ClassVar[int] = 0x02
    LIMIT: ClassVar[Limit] = Limit(2)

    def values(self) -> list[Value]:
        return []

    @classmethod
    def read(cls, reader: Reader, _: Consensus) -> "Ready":
        reader.count("ready", 0, 0)
        return cls()


@dataclass(frozen=True, slots=True)
class Ping:
    TYPE: ClassVar[int] = 0x03
    LIMIT: ClassVar[Limit] = Limit(11)

    nonce: int

    def values(self) -> list[Value]:
        return [self.nonce]

    @classmethod
    def read(cls, reader: Reader, _: Consensus) -> "Ping":
        reader.count("ping", 1, 1)
        return cls(reader.uint("nonce"))


@dataclass(frozen=True, slots=True)
class Pong:
    """Answers a Ping with its nonce."""

    TYPE: ClassVar[int] = 0x04
    LIMIT: ClassVar[Limit] = Limit(11)

    nonce: int

    def values(self) -> list[Value]:
        return [self.nonce]

    @classmethod
    def read(cls, reader: Reader, _: Consensus) -> "Pong":
        reader.count("pong", 1, 1)
        return cls(reader.uint("nonce"))


@dataclass(frozen=True, slots=True)
class Goodbye:
    """The last message of a connection: why it ends, for the other side's operator."""

    TYPE: ClassVar[int] = 0x05
    LIMIT: ClassVar[Limit] = Limit(238)

    code: str
    """A word of a–z, 0–9 and ``-``."""
    reason: str
    """Printable ASCII."""

    @classmethod
    def saying(cls, code: str, reason: str) -> "Goodbye":
        """Any reason at all, made printable and cut to what fits."""
        return cls(code, "".join(c if " " <= c <= "~" else "?" for c in reason[:MAX_REASON]))

    def values(self) -> list[Value]:
        return [self.code, self.reason]

    @classmethod
    def read(cls, reader: Reader, _: Consensus) -> "Goodbye":
        reader.count("goodbye", 2, 2)
        return cls(reader.word("code", MAX_CODE), reader.text("reason", MAX_REASON))
