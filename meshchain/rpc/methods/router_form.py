"""Shapes of what the router says: ``meshrouter.control`` makes it, these schemas check it and explain it."""

from typing import Final

from meshchain.rpc.methods import shapes
from meshchain.rpc.schema import Schema

_MAYBE_TEXT: Final = shapes.nullable(shapes.TEXT)
_MAYBE_NUMBER: Final = shapes.nullable(shapes.NUMBER)
_MAYBE_INTEGER: Final = shapes.nullable(shapes.INTEGER)
_ROLE: Final[Schema] = {"type": "string", "enum": ["barred", "guest", "member"]}
_MEDIUM: Final[Schema] = {"type": "string", "enum": ["virtual", "udp", "ethernet", "stream"]}
_CAPS: Final[Schema] = {**shapes.listing(shapes.TEXT), "description": "forwards, tun, trains"}
_COUNTS: Final[Schema] = {"type": "object", "additionalProperties": shapes.INTEGER}


def _said(schema: Schema, text: str) -> Schema:
    return {**schema, "description": text}


NODE: Final = {
    "name": _said(_MAYBE_TEXT, "Without .mesh; null: no name vouches for it"),
    "key": shapes.NODE_KEY,
    "ip6": _said(shapes.TEXT, "The address derived from the key"),
}
_TRAFFIC: Final = dict.fromkeys(("frames_in", "frames_out", "bytes_in", "bytes_out"), shapes.INTEGER)
_PACKETS: Final = dict.fromkeys(("packets_in", "packets_out", "bytes_in", "bytes_out"), shapes.INTEGER)
_HOP: Final = shapes.table({**NODE, "link": shapes.TEXT})

STATUS: Final = shapes.table(
    {
        "key": shapes.NODE_KEY,
        "name": _MAYBE_TEXT,
        "role": _ROLE,
        "zone": shapes.INTEGER,
        "addresses": _said(shapes.listing(shapes.TEXT), "Own ones, claimed first"),
        "forwards": _said(shapes.BOOLEAN, "Carries packets of others"),
        "tun": _said(_MAYBE_TEXT, "The TUN device; null: none"),
        "uptime_s": shapes.NUMBER,
        "links": shapes.listing(
            shapes.table(
                {
                    "name": shapes.TEXT,
                    "medium": _MEDIUM,
                    "mtu": _said(shapes.INTEGER, "Largest frame, bytes"),
                    "up": shapes.BOOLEAN,
                    "neighbours": shapes.INTEGER,
                }
            )
        ),
        "neighbours": shapes.INTEGER,
        "routes": shapes.INTEGER,
        "sessions": shapes.INTEGER,
        "forwarded": _said(shapes.INTEGER, "Packets carried for others"),
        "delivered": _said(shapes.INTEGER, "Packets for this host"),
        "rules": shapes.listing(shapes.table({"rule": shapes.TEXT, "packets": shapes.INTEGER})),
        "off": _said(
            shapes.listing(shapes.table({"part": shapes.TEXT, "reason": shapes.TEXT})), "What does not run, and why"
        ),
        "counters": _said(_COUNTS, "What was dropped, by rule"),
    }
)
NEIGHBOURS: Final = shapes.listing(
    shapes.table(
        {
            **NODE,
            "role": _ROLE,
            "link": shapes.TEXT,
            "medium": _MEDIUM,
            "link_address": shapes.TEXT,
            "mtu": shapes.INTEGER,
            "cost": _said(_MAYBE_INTEGER, "What routing adds for it; null: not usable"),
            "rtt_ms": _MAYBE_NUMBER,
            "loss": _said(shapes.NUMBER, "Share of frames lost, 0 to 1"),
            "queue_ms": shapes.INTEGER,
            "height": _said(shapes.INTEGER, "Of its chain, as it says"),
            "caps": _CAPS,
            "up_s": shapes.NUMBER,
            "silent_s": _said(shapes.NUMBER, "Since its last frame"),
            **_TRAFFIC,
            "notes": _COUNTS,
        }
    )
)
ROUTES: Final = shapes.listing(
    shapes.table(
        {
            **NODE,
            "role": _ROLE,
            "metric": shapes.INTEGER,
            "seqno": shapes.INTEGER,
            "height": shapes.INTEGER,
            "caps": _CAPS,
            "next_hop": _HOP,
            "spare": _said(shapes.nullable(_HOP), "Takes over at once"),
            "runner_up": shapes.nullable(
                shapes.table({**NODE, "link": shapes.TEXT, "metric": shapes.INTEGER, "why": shapes.TEXT})
            ),
        }
    )
)
SESSIONS: Final = shapes.listing(
    shapes.table(
        {
            "name": _MAYBE_TEXT,
            "key": shapes.NODE_KEY,
            "own": _said(shapes.TEXT, "Own address of the pair"),
            "peer": shapes.TEXT,
            "state": shapes.TEXT,
            "mtu": _said(shapes.INTEGER, "Largest IPv6 packet, bytes"),
            "up_s": shapes.NUMBER,
            "idle_s": shapes.NUMBER,
            "keys_s": _said(shapes.NUMBER, "Age of its present keys"),
            **_PACKETS,
        }
    )
)
TARGET: Final = {
    "name": _said(_MAYBE_TEXT, "As the ledger has it, without .mesh"),
    "ip6": shapes.TEXT,
    "key": _said(shapes.nullable(shapes.NODE_KEY), "null: the ledger does not say whose address it is"),
    "zone": _said(_MAYBE_INTEGER, "As its record has it"),
}
RESOLVED: Final = shapes.table(TARGET)
PING: Final = shapes.table(
    {
        "name": _MAYBE_TEXT,
        "ip6": shapes.TEXT,
        "seq": shapes.INTEGER,
        "size": _said(shapes.INTEGER, "Bytes of the question beside its header"),
        "problem": _said(_MAYBE_TEXT, "null: a reply came; else timeout, unreachable, too-big or hop-limit"),
        "rtt_ms": _MAYBE_NUMBER,
        "hops_there": _MAYBE_INTEGER,
        "hops_back": _MAYBE_INTEGER,
    }
)
_SIDE: Final = shapes.nullable(
    shapes.table(
        {
            "neighbour": shapes.table(NODE),
            "medium": _MEDIUM,
            "cost": shapes.INTEGER,
            "rtt_ms": _MAYBE_NUMBER,
            "loss": shapes.NUMBER,
            "queue_ms": shapes.INTEGER,
            "mtu": shapes.INTEGER,
        }
    )
)
_UNKNOWN_NODE: Final = {**NODE, "key": shapes.nullable(shapes.NODE_KEY)}
_STEP: Final[Schema] = {
    "anyOf": [
        shapes.table(
            {
                "kind": {"type": "string", "enum": ["hop"]},
                "hop": shapes.INTEGER,
                **NODE,
                "role": _ROLE,
                "zone": shapes.INTEGER,
                "height": shapes.INTEGER,
                "version": shapes.TEXT,
                "ingress": _said(_SIDE, "The link that the probe came on"),
                "egress": _said(_SIDE, "The link of the chosen next hop"),
                "metric": _MAYBE_INTEGER,
                "runner_up": shapes.nullable(
                    shapes.table({**_UNKNOWN_NODE, "metric": shapes.INTEGER, "why": shapes.TEXT})
                ),
                "held_ms": _said(_MAYBE_NUMBER, "How long it had the probe, by its own clock"),
                "reported_ms": _said(_MAYBE_NUMBER, "From the probe's start until its report was here"),
            }
        ),
        shapes.table(
            {
                "kind": {"type": "string", "enum": ["gap"]},
                "hop": shapes.INTEGER,
                "missing": _said(shapes.INTEGER, "Hops that did not report; 0: the hop limit shows none"),
                "reason": {
                    "type": "string",
                    "enum": ["no-report", "report-lost", "names-differ", "chain-broken", "unreached"],
                },
                "message": shapes.TEXT,
                "suspects": _said(shapes.listing(shapes.table(NODE)), "Whom its neighbours name in it"),
            }
        ),
    ]
}
_PATH: Final = shapes.table(
    {
        "reached": _said(shapes.BOOLEAN, "Its end has reported"),
        "whole": _said(shapes.BOOLEAN, "No gap: every hop is attested by those beside it"),
        "steps": shapes.listing(_STEP),
    }
)
TRACE: Final = shapes.table(
    {
        **_UNKNOWN_NODE,
        "whole": _said(shapes.BOOLEAN, "Both ways are whole"),
        "rtt_ms": _said(_MAYBE_NUMBER, "Until the probe was back; null: it did not come back"),
        "forward": _PATH,
        "reverse": _said(shapes.nullable(_PATH), "The way back; null: not asked for"),
    }
)
