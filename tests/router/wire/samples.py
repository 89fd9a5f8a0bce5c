"""Any value of every format, and one of each in known bytes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from hypothesis import strategies as st

from meshchain.crypto.address import node_id
from meshrouter.wire import beacon, control, ends, frame, handshake, meshctl, packet, sec, train
from meshrouter.wire.nosession import NoSession

U8, U16, U32, U64 = (st.integers(0, 2**bits - 1) for bits in (8, 16, 32, 64))


def raw(size: int) -> st.SearchStrategy[bytes]:
    return st.binary(min_size=size, max_size=size)


def id_of(key: bytes) -> bytes:
    derived = node_id(key)
    assert derived is not None
    return derived


KEYS: Final = raw(32)
IDS: Final = raw(14)
SIGNATURES: Final = raw(64)
CONTENT: Final = st.binary(max_size=60)


@dataclass(frozen=True)
class Format:
    """A format as bytes and as values. ``fixed``: no proper prefix of an encoding is one."""

    name: str
    values: st.SearchStrategy[Any]
    encode: Callable[[Any], bytes]
    decode: Callable[[bytes], Any]
    fixed: bool = True


def _plain(cls: type[Any], values: st.SearchStrategy[Any], *, fixed: bool = True) -> Format:
    return Format(cls.__name__, values, cls.encode, cls.decode, fixed)


def _half(cls: type[Any], around: int) -> st.SearchStrategy[Any]:
    noise = st.sampled_from(handshake.PAYLOAD_SIZES).flatmap(lambda size: raw(around + size))
    return st.builds(cls, U32, noise, raw(16), raw(16))


def _updates() -> st.SearchStrategy[control.Update]:
    fields = {"seqno": U64, "height": U32, "caps": U16, "zone": U16, "metric": U16, "signature": SIGNATURES}
    with_key = KEYS.flatmap(lambda key: st.builds(control.Update, id=st.just(id_of(key)), key=st.just(key), **fields))
    return with_key | st.builds(control.Update, id=IDS, key=st.none(), **fields)


HELLOS: Final = st.builds(
    control.Hello,
    seq=U16,
    sent=U32,
    echo=U32,
    held=U32,
    received=U16,
    queue=U16,
    mtu=U16,
    flags=U16,
    digest=U64,
    count=U32,
)
REDIRECTS: Final = st.builds(
    lambda key, address: control.Redirect(id_of(key), key, address), KEYS, st.binary(max_size=control.MAX_LINK_ADDRESS)
)
ERRORS: Final = st.builds(
    meshctl.Error, st.sampled_from(meshctl.ErrorCode), U16, st.binary(min_size=40, max_size=meshctl.MAX_QUOTE)
)
PACKETS: Final = st.builds(
    packet.Packet,
    next_header=U8,
    source=IDS,
    destination=IDS,
    payload=CONTENT,
    source_zone=U16,
    destination_zone=U16,
    hop_limit=U8,
    traffic_class=U8,
    flow_label=st.integers(0, 2**20 - 1),
)
CARS: Final = st.builds(lambda number, last: number | frame.LAST * last, st.integers(0, 44), st.booleans())
FRAMES: Final = st.one_of(
    st.builds(frame.Frame, st.sampled_from(sorted(frame.CLEAR)), CONTENT, U32, U32),
    st.builds(
        frame.Frame,
        st.sampled_from(sorted(frame.SEALED - {frame.TRAIN})),
        st.binary(min_size=16, max_size=60),
        U32,
        U32,
    ),
    st.builds(frame.Frame, st.just(frame.TRAIN), st.binary(min_size=1, max_size=60), U32, U32, CARS),
)
ANY_CONTROL: Final[st.SearchStrategy[control.Message]] = st.one_of(
    HELLOS,
    _updates(),
    st.builds(control.Retract, IDS, U64),
    st.builds(control.SeqnoRequest, IDS, U64, U8),
    st.just(control.Dump()),
    REDIRECTS,
    st.builds(control.RouteRequest, IDS, U8),
    st.builds(control.Bye, U8),
)
ANY_CTL: Final[st.SearchStrategy[control.Message]] = ERRORS | st.builds(NoSession, U32, U32)

FORMATS: Final = (
    _plain(frame.Frame, FRAMES),
    _plain(beacon.Beacon, st.builds(beacon.Beacon, raw(4), U16, U16, KEYS, U32)),
    _plain(beacon.Solicit, st.builds(beacon.Solicit, raw(4))),
    # of two sizes: one for ends, cut to a neighbour's, is left to the macs
    _plain(handshake.Init, _half(handshake.Init, handshake.INIT_AROUND), fixed=False),
    _plain(handshake.Response, _half(handshake.Response, handshake.RESPONSE_AROUND), fixed=False),
    _plain(handshake.Cookie, st.builds(handshake.Cookie, raw(24), raw(32))),
    _plain(handshake.LinkPayload, st.builds(handshake.LinkPayload, KEYS, U16, U16, U32)),
    _plain(handshake.EndPayload, st.builds(handshake.EndPayload, KEYS, raw(16), raw(16), U16, U16, U32)),
    _plain(NoSession, st.builds(NoSession, U32, U32)),
    _plain(control.Hello, HELLOS),
    _plain(control.Update, _updates()),
    _plain(control.Retract, st.builds(control.Retract, IDS, U64)),
    _plain(control.SeqnoRequest, st.builds(control.SeqnoRequest, IDS, U64, U8)),
    _plain(control.Dump, st.just(control.Dump())),
    _plain(control.Redirect, REDIRECTS),
    _plain(control.RouteRequest, st.builds(control.RouteRequest, IDS, U8)),
    _plain(control.Bye, st.builds(control.Bye, U8)),
    Format("CONTROL", st.lists(ANY_CONTROL, max_size=6), control.encode_all, control.decode_all, fixed=False),
    # a length that one changed bit makes 0 would say "all that follows", hence the same packet
    _plain(packet.Packet, PACKETS.filter(lambda made: len(made.payload).bit_count() > 1), fixed=False),
    _plain(sec.Sealed, st.builds(sec.Sealed, U32, U32, st.binary(min_size=17, max_size=60)), fixed=False),
    _plain(
        sec.SuperPacket,
        st.builds(sec.SuperPacket, st.sampled_from((sec.TCP, sec.UDP)), st.integers(1, 2**16 - 1), CONTENT),
        fixed=False,
    ),
    _plain(
        ends.EndHandshake,
        st.builds(ends.EndHandshake, st.just(ends.END_INIT), st.just(0), CONTENT)
        | st.builds(ends.EndHandshake, st.sampled_from((ends.END_RESPONSE, ends.END_COOKIE)), U32, CONTENT),
        fixed=False,
    ),
    _plain(meshctl.Error, ERRORS, fixed=False),
    Format("MESHCTL", ANY_CTL, meshctl.encode, meshctl.decode, fixed=False),
    _plain(
        train.Piece,
        st.builds(train.Piece, U16, st.integers(0, 15), st.booleans(), st.binary(min_size=1, max_size=60)),
        fixed=False,
    ),
)
