"""meshp-groups.json: packets to groups."""

from typing import Final

from docs.spec.making.values import GENESIS, Document, Json, secret
from meshrouter.groups.message import BROADCAST, NO_CLAIM, GroupData, Head, group_id
from meshrouter.identity import Identity
from meshrouter.wire.packet import MC_DATA, Packet

_ANN: Final = Identity.from_seed(secret("node ann"))
_OTHER: Final = bytes.fromhex("ff18eeee000000000000000000001234")
_CASES: Final = (
    ("the broadcast", BROADCAST, 0, Head(1001 << 32, NO_CLAIM, 17, secret("a datagram"))),
    ("from a claimed address", _OTHER, 0x0102, Head(2**64 - 1, b"\0\0\0\0\0\1", 17, secret("another"))),
    ("nothing to say", _OTHER, 0, Head(0, NO_CLAIM, 59, b"")),
    ("as much as there may be", _OTHER, 0, Head(1, NO_CLAIM, 17, bytes(1240))),
)


def document() -> Document:
    return {
        "genesis": GENESIS.hex(),
        "seed": _ANN.seed.hex(),
        "key": _ANN.key.hex(),
        "packets": [_case(why, group, zone, head) for why, group, zone, head in _CASES],
        "refused": [
            {"why": "no whole signature", "code": "group-size", "payload": bytes(78).hex()},
            {"why": "too much content", "code": "group-size", "payload": bytes(79 + 1241).hex()},
        ],
    }


def _case(why: str, group: bytes, zone: int, head: Head) -> Json:
    data = GroupData.make(_ANN, GENESIS, zone, group_id(group), head)
    packet = Packet(
        next_header=MC_DATA,
        source=_ANN.id,
        destination=group_id(group),
        payload=data.encode(),
        source_zone=zone,
        destination_zone=zone,
    )
    return {
        "why": why,
        "group": group.hex(),
        "source": data.source(_ANN.id).hex(),
        "seq": head.seq,
        "next_header": head.next_header,
        "content": head.content.hex(),
        "packet": packet.encode().hex(),
    }
