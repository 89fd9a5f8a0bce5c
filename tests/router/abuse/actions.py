"""What may come to a router: nonsense, and truth with a byte changed, before and behind the ciphers."""

from collections.abc import Callable
from typing import Final

from meshrouter.directory import Binding, Role
from meshrouter.groups.message import GroupData, Head
from meshrouter.links.link import Medium
from meshrouter.offload.vnet import VnetHeader
from meshrouter.trace.probe import Probe
from meshrouter.trace.report import Report, Side
from meshrouter.trace.ticket import Ticket
from meshrouter.wire import control, frame, meshctl, packet, sec
from meshrouter.wire.nosession import NoSession
from tests.router.abuse.world import (
    GENESIS,
    PUPPET,
    STRANGER,
    VICTIM,
    Choices,
    World,
    coin,
    exactly,
    ipv6,
    pick,
)

Action = Callable[[World, Choices], None]

SIZES: Final = (0, 1, 8, 14, 15, 22, 23, 34, 40, 43, 44, 47, 51, 56, 97, 115, 124, 172, 204, 313, 1300)
"""Of bodies and what is before them; one more and one less are tried too."""
NEXT_HEADERS: Final = (packet.MESHSEC, packet.MESHHS, packet.MESHCTL, packet.MC_DATA, 58)
INNER: Final = (sec.PARTIAL_TCP, sec.PARTIAL_UDP, sec.SUPER, packet.MESHCTL, 6, 17, 58, 59)
SEQNOS: Final = (0, 1, 2, 1001, 5000, 2**63 - 1, 2**63, 2**64 - 1)
HEIGHTS: Final = (0, 939, 940, 1000, 2**32 - 1)
METRICS: Final = (0, 95, 96, 1000, 65534, 65535)
HOPS: Final = (0, 1, 2, 64, 255)
BROADCAST: Final = b"\xee\xee".ljust(13, b"\0") + b"\1"
GROUPS: Final = (BROADCAST, b"\xee\xee".ljust(14, b"\7"), bytes(14))


def altered(choices: Choices, good: bytes) -> bytes:
    """As it is, or with a byte or two changed."""
    changed = bytearray(good)
    for _ in range(choices.integer(0, 2) if good else 0):
        changed[choices.integer(0, len(good) - 1)] ^= choices.integer(0, 255)
    return bytes(changed)


def body(choices: Choices) -> bytes:
    return exactly(choices, max(pick(choices, SIZES) + choices.integer(-1, 1), 0))


# --- frames ----------------------------------------------------------------------------------------------------


def any_frame(world: World, choices: Choices) -> None:
    world.throw(choices.octets(200))


def clear_frame(world: World, choices: Choices) -> None:
    kind = pick(choices, tuple(sorted(frame.CLEAR)))
    world.throw(frame.Frame(kind, body(choices), choices.integer(0, 2**32 - 1)).encode())


def sealed_frame(world: World, choices: Choices) -> None:
    world.sealed(pick(choices, (frame.CONTROL, frame.PACKET, frame.PIECE)), choices.octets(300))


def train(world: World, choices: Choices) -> None:
    world.train(choices.octets(400), choices.integer(1, 400))


def piece(world: World, choices: Choices) -> None:
    mark = pick(choices, (0, 1, 2, 15, 16, 0x80, 0x81, 0x8F, 0xFF))
    world.sealed(frame.PIECE, bytes((0, choices.integer(0, 1), mark)) + body(choices))


# --- messages of a neighbour -------------------------------------------------------------------------------------


def control_frame(world: World, choices: Choices) -> None:
    made = b""
    for _ in range(choices.integer(1, 4)):
        content = body(choices)
        made += bytes((choices.integer(0, 9),)) + len(content).to_bytes(2, "big") + content
    world.sealed(frame.CONTROL, made)


def update(world: World, choices: Choices) -> None:
    """Signed, by the puppet, the victim, or one that nobody knows."""
    identity = pick(choices, (PUPPET, VICTIM, STRANGER))
    seqno, height, zone = pick(choices, SEQNOS), pick(choices, HEIGHTS), choices.integer(0, 1)
    made = control.Update(
        id=identity.id,
        key=identity.key if coin(choices) else None,
        seqno=seqno,
        height=height,
        caps=3,
        zone=zone,
        metric=pick(choices, METRICS),
        signature=identity.sign(control.announcement(GENESIS, identity.key, seqno, height, 3, zone)),
    )
    world.sealed(frame.CONTROL, altered(choices, control.encode(made)))


def true_message(world: World, choices: Choices) -> None:
    identity, seqno, hops = pick(choices, (PUPPET, VICTIM, STRANGER)), pick(choices, SEQNOS), pick(choices, HOPS)
    messages: tuple[control.Message, ...] = (
        control.Retract(pick(choices, (identity.id, bytes(14))), seqno),
        control.SeqnoRequest(identity.id, seqno, hops),
        control.RouteRequest(identity.id, hops),
        control.Dump(),
        control.Redirect(identity.id, identity.key, choices.octets(32)),
        control.Hello(seq=hops, sent=pick(choices, HEIGHTS), echo=hops, mtu=hops, flags=hops, digest=seqno, count=hops),
        control.Bye(hops),
    )
    world.sealed(frame.CONTROL, altered(choices, control.encode(pick(choices, messages))))


# --- packets -----------------------------------------------------------------------------------------------------


def any_packet(world: World, choices: Choices) -> None:
    ids = (PUPPET.id, VICTIM.id, STRANGER.id, BROADCAST)
    made = packet.Packet(
        next_header=pick(choices, NEXT_HEADERS),
        source=pick(choices, ids),
        destination=pick(choices, ids),
        payload=body(choices),
        hop_limit=pick(choices, HOPS),
    )
    world.sealed(frame.PACKET, altered(choices, made.encode()))


def typed_packet(world: World, choices: Choices) -> None:
    """Of a known next header, with a type that is or may be one."""
    content = bytes((choices.integer(0, 6), choices.integer(0, 2))) + body(choices)
    _send(world, pick(choices, NEXT_HEADERS), VICTIM.id, content)


def meshctl_packet(world: World, choices: Choices) -> None:
    """Errors about what the victim has sent; a probe and a report that are signed."""
    quoted = _sent_by(world, choices)
    header = packet.Packet(next_header=packet.MESHSEC, source=VICTIM.id, destination=PUPPET.id, payload=quoted).encode()
    error = meshctl.Error(pick(choices, tuple(meshctl.ErrorCode)), choices.integer(0, 2**16 - 1), header)
    complaints: tuple[control.Message, ...] = (error, NoSession(*sec.SEC.unpack(quoted)))
    messages = (*complaints, _probe(choices), _report(world, choices))
    content = altered(choices, meshctl.encode(pick(choices, messages)))
    _send(world, packet.MESHCTL, pick(choices, (VICTIM.id, STRANGER.id, PUPPET.id)), content)


def group(world: World, choices: Choices) -> None:
    destination = pick(choices, GROUPS)
    head = Head(choices.integer(0, 2**64 - 1), exactly(choices, 6), choices.integer(0, 255), body(choices))
    data = GroupData.make(PUPPET, GENESIS, 0, destination, head)
    _send(world, packet.MC_DATA, destination, altered(choices, data.encode()))


def _send(world: World, next_header: int, destination: bytes, payload: bytes) -> None:
    made = packet.Packet(next_header=next_header, source=PUPPET.id, destination=destination, payload=payload)
    world.sealed(frame.PACKET, made.encode())


def _sent_by(world: World, choices: Choices) -> bytes:
    """Index and counter of something that the victim has sealed, or might have."""
    for session in world.victim.sessions.by_pair.values():
        counter = max(session.sealer.counter - choices.integer(0, 2), 0)
        return sec.SEC.pack(session.sealer.index, counter & 0xFFFFFFFF)
    return bytes(8)


def _probe(choices: Choices) -> Probe:
    target = pick(choices, (VICTIM.id, PUPPET.id, STRANGER.id))
    ticket = Ticket.make(PUPPET, GENESIS, exactly(choices, 16), target, pick(choices, HEIGHTS), choices.integer(0, 1))
    return Probe(choices.integer(0, 1), bytes(32), ticket)


def _report(world: World, choices: Choices) -> control.Message:
    side = Side(VICTIM.key, Medium.VIRTUAL, 96, None, 0.0, 0, 1500)
    return Report(
        nonce=world.nonce,
        direction=choices.integer(0, 1),
        previous=bytes(32),
        key=pick(choices, (PUPPET.key, VICTIM.key, STRANGER.key)),
        hop_limit=pick(choices, (*HOPS, 63, 65)),
        ends=coin(choices),
        height=pick(choices, HEIGHTS),
        zone=0,
        ingress=side if coin(choices) else None,
        egress=side if coin(choices) else None,
        metric=96,
        runner_up=None,
        received=1.0,
        sent=2.0,
        version="",
    ).signed_by(PUPPET)


# --- ends ----------------------------------------------------------------------------------------------------------


def inner_text(world: World, choices: Choices) -> None:
    world.inner(bytes((pick(choices, INNER),)) + body(choices))


def any_inner_text(world: World, choices: Choices) -> None:
    world.inner(choices.octets(200))


def from_tun(world: World, choices: Choices) -> None:
    """The victim's own host; its kernel is trusted, but not to know what is a packet."""
    vnet = VnetHeader.decode(exactly(choices, 10)) if coin(choices) else None
    made = ipv6(VICTIM, PUPPET, pick(choices, (6, 17, 58, 0, 44, 59, 226, 254)), body(choices))
    grouped = made[:24] + b"\xff\x18\xee\xee" + exactly(choices, 12) + made[40:]
    world.victim.tun_packets([(vnet, pick(choices, (made, grouped, choices.octets(120))))], world.now)


def news(world: World, choices: Choices) -> None:
    binding = Binding(pick(choices, (VICTIM.key, PUPPET.key)), pick(choices, tuple(Role)))
    world.victim.at(world.now, lambda: world.victim.directory.told_binding(binding))


def time(world: World, choices: Choices) -> None:
    world.run(pick(choices, (0.01, 0.3, 2.0, 20.0, 130.0)))


ACTIONS: Final[tuple[Action, ...]] = (
    any_frame,
    clear_frame,
    sealed_frame,
    train,
    piece,
    control_frame,
    update,
    true_message,
    any_packet,
    typed_packet,
    meshctl_packet,
    group,
    inner_text,
    any_inner_text,
    from_tun,
    news,
    time,
)
