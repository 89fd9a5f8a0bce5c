"""This node on the mesh: its key and address, its peers, and what its key signs."""

from typing import Final

from meshchain import __version__
from meshchain.crypto import is_ecdsa_public_key, verify_ecdsa
from meshchain.crypto.hashing import tagged_hash
from meshchain.rpc import errors
from meshchain.rpc.json_text import Json
from meshchain.rpc.methods import shapes
from meshchain.rpc.methods.name_form import address_text
from meshchain.rpc.registry import Area, Call, Example, Param

AREA: Final = Area("mesh")

_KEY: Final = "02" + "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"


@AREA.method(
    "mesh_identity",
    result=shapes.table(
        {
            "ip6": shapes.TEXT,
            "key": shapes.NODE_KEY,
            "name": {**shapes.nullable(shapes.TEXT), "description": "Whose primary host this node is"},
            "zone": shapes.INTEGER,
            "network": shapes.TEXT,
            "guest": {**shapes.BOOLEAN, "description": "No name vouches for this node"},
        }
    ),
    examples=(
        Example(
            "a node without a name",
            [],
            {"ip6": "eeee:1:2::3", "key": "ab" * 32, "name": None, "zone": 0, "network": "mesh", "guest": True},
        ),
    ),
)
def mesh_identity(call: Call) -> Json:
    """The node's key, address and name."""
    me = call.node.identity()
    return {
        "ip6": address_text(me.ip6),
        "key": me.key.hex(),
        "name": me.name,
        "zone": me.zone,
        "network": call.node.params.name,
        "guest": me.guest,
    }


@AREA.method(
    "signnodeproof",
    params=(
        shapes.NAME_PARAM,
        Param("owner", shapes.OWNER, "The name's owner key"),
    ),
    result=shapes.table(
        {
            "name": shapes.TEXT,
            "owner": shapes.OWNER,
            "key": shapes.NODE_KEY,
            "ip6": shapes.TEXT,
            "proof": shapes.SIGNATURE,
            "zone": shapes.INTEGER,
        }
    ),
    access="cookie",
    fails=(errors.BAD_VALUE,),
    examples=(
        Example(
            "for alice.mesh",
            ["alice", _KEY],
            {"name": "alice", "owner": _KEY, "key": "ab" * 32, "ip6": "eeee:1:2::3", "proof": "5a" * 64, "zone": 0},
        ),
    ),
)
def signnodeproof(call: Call, name: str, owner: str) -> Json:
    """The node key's consent to stand in a name's record: what a host entry needs."""
    name, key = shapes.name_of(name), bytes.fromhex(owner)
    if not is_ecdsa_public_key(key):
        raise errors.bad_value("owner-key", "owner is no compressed secp256k1 key", owner=owner)
    me = call.node.identity()
    return {
        "name": name,
        "owner": owner.lower(),
        "key": me.key.hex(),
        "ip6": address_text(me.ip6),
        "proof": call.node.sign_node_proof(key, name).hex(),
        "zone": me.zone,
    }


@AREA.method(
    "verifymessage",
    params=(
        Param(
            "name",
            {"anyOf": [shapes.OWNER, shapes.NAME]},
            "A name (its present owner must have signed) or an owner key",
        ),
        Param("signature", shapes.SIGNATURE, "64 bytes in hex"),
        Param("message", shapes.TEXT, "The text that was signed"),
    ),
    result=shapes.BOOLEAN,
    fails=(errors.ABSENT, errors.BAD_VALUE, errors.SYNCING),
    examples=(
        Example("a signature of somebody else", ["alice", "01" * 64, "hello"], result=False),
        Example("against a key", [_KEY, "01" * 64, "hello"], result=False),
        Example("a free name", ["a-0", "01" * 64, "hello"], fails="name-not-found"),
    ),
)
def verifymessage(call: Call, name: str, signature: str, message: str) -> Json:
    """Whether a message was signed by the owner of a name, or by a key.

    The signature is ECDSA over H("message", genesis, message in UTF-8).
    """
    key = bytes.fromhex(name) if shapes.fits(name, shapes.OWNER) else _owner_now(call, shapes.name_of(name))
    digest = tagged_hash("message", call.view.genesis_id, message.encode())
    return verify_ecdsa(key, digest, bytes.fromhex(signature))


def _owner_now(call: Call, name: str) -> bytes:
    call.require_sync("verifymessage")
    entry = call.view.entry(name)
    if entry is None or entry.revoked:
        raise errors.absent("name-not-found", f"{name}.mesh has no owner", name=name, height=call.view.height)
    return entry.owner


@AREA.method(
    "listbanned",
    result=shapes.listing(
        shapes.table(
            {
                "who": {**shapes.TEXT, "description": "A node key in hex, or a host: an address, of IPv6 its /64"},
                "kind": {**shapes.TEXT, "description": "key or host"},
                "until": {**shapes.INTEGER, "description": "Unix seconds"},
                "reason": shapes.TEXT,
            }
        )
    ),
    examples=(
        Example(
            "a peer that sent nonsense",
            [],
            [{"who": "192.0.2.7", "kind": "host", "until": 1_790_144_840, "reason": "malformed message: truncated"}],
        ),
    ),
)
def listbanned(call: Call) -> Json:
    """Node keys and hosts that may not connect: the latest 200, last first."""
    return list(call.node.bans())


@AREA.method("getpeerinfo", result=shapes.listing(shapes.OBJECT), examples=(Example("nobody", [], []),))
def getpeerinfo(call: Call) -> Json:
    """The connected peers."""
    return list(call.node.peers())


@AREA.method(
    "getnetworkinfo",
    result=shapes.table(
        {
            "version": shapes.TEXT,
            "network": shapes.TEXT,
            "connections": shapes.INTEGER,
            "ports": shapes.table({"rpc": shapes.INTEGER, "dns": shapes.INTEGER, "gossip": shapes.INTEGER}),
            "warnings": shapes.listing(
                shapes.table({"code": shapes.TEXT, "message": shapes.TEXT, "since": shapes.INTEGER})
            ),
        }
    ),
    examples=(
        Example(
            "a lone node",
            [],
            {
                "version": "0.1.0",
                "network": "mesh",
                "connections": 0,
                "ports": {"rpc": 9336, "dns": 5336, "gossip": 9337},
                "warnings": [],
            },
        ),
    ),
)
def getnetworkinfo(call: Call) -> Json:
    """Version, network, number of peers, default ports, alarms."""
    ports = call.node.params.ports
    return {
        "version": __version__,
        "network": call.node.params.name,
        "connections": len(call.node.peers()),
        "ports": {"rpc": ports.rpc, "dns": ports.dns, "gossip": ports.gossip},
        "warnings": [alarm.to_json() for alarm in call.node.alarms()],
    }
