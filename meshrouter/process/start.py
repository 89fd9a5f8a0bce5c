"""The first message on the channel: all a router needs to know to begin."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from meshrouter.errors import LocalError
from meshrouter.links.specs import DEFAULT, LinkSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """``seed``: of the node key, 32 secret bytes; ``genesis``: id of the first block, 32;
    ``seqno``: the first that was never used."""

    seed: bytes = field(repr=False)
    genesis: bytes
    zone: int = 0
    gossip_port: int = 0
    seqno: int
    links: Sequence[LinkSpec] = DEFAULT
    tun: str | None = None
    """Name of the TUN to make, None to run without."""
    claimed: bytes | None = None
    """Own address in eeee::/80, 16 bytes, if a name gives one."""
    loopback: bool = True
    """Whether ``lo2`` is wanted."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """What is for the coordinator alone."""

    def to_json(self) -> dict[str, Any]:
        return {
            "type": "start",
            "seed": self.seed.hex(),
            "genesis": self.genesis.hex(),
            "zone": self.zone,
            "gossip_port": self.gossip_port,
            "seqno": self.seqno,
            "links": [each.to_json() for each in self.links],
            "tun": self.tun,
            "claimed": None if self.claimed is None else self.claimed.hex(),
            "loopback": self.loopback,
            "extra": dict(self.extra),
        }

    @classmethod
    def from_json(cls, form: Mapping[str, Any]) -> "Start":
        """LocalError (start): not what to_json makes."""
        try:
            if form["type"] != "start":
                raise ValueError(f"the first message is {form['type']!r}")
            return cls(
                seed=bytes.fromhex(form["seed"]),
                genesis=bytes.fromhex(form["genesis"]),
                zone=int(form["zone"]),
                gossip_port=int(form["gossip_port"]),
                seqno=int(form["seqno"]),
                links=tuple(LinkSpec.from_json(each) for each in form["links"]),
                tun=form["tun"],
                claimed=None if form["claimed"] is None else bytes.fromhex(form["claimed"]),
                loopback=bool(form["loopback"]),
                extra=dict(form["extra"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise LocalError("start", f"the node's first message to its router cannot be used: {error!r}") from None
