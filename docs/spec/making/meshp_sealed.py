"""meshp-sealed.json: frames between neighbours, trains, pieces, MESHSEC between ends; counters; what must not open."""

from collections.abc import Iterator
from typing import Final

from docs.spec.making.meshp_formats import ANN_ID, BEN_ID
from docs.spec.making.values import Document, Json, secret
from meshrouter.handshake.ciphers import LOW, Opener, Sealer, full_counter
from meshrouter.neighbours.session import WINDOW, LinkSession
from meshrouter.wire import control, frame, packet, sec, train

_KEY: Final = secret("forth")
_INDEX: Final = 0x0A0B0C0D
_PACKET: Final = packet.Packet(
    next_header=packet.MESHCTL, source=ANN_ID, destination=BEN_ID, payload=b"\2" + bytes(8)
).encode()
_LARGE: Final = packet.Packet(
    next_header=packet.MESHSEC, source=ANN_ID, destination=BEN_ID, payload=secret("large") * 100
).encode()


def _session(counter: int = 0) -> LinkSession:
    made = LinkSession(_INDEX, _INDEX, _KEY, _KEY)
    made.sealer.counter = counter
    return made


def document() -> Document:
    return {
        "link": {"key": _KEY.hex(), "index": _INDEX, "frames": list(_frames())},
        "train": _train(),
        "pieces": _pieces(),
        "end": {"key": _KEY.hex(), "index": _INDEX, "packets": list(_packets())},
        "counters": [{"low": low, "greatest": high, "counter": full_counter(low, high)} for low, high in _COUNTERS],
        "window": _window(),
    }


_COUNTERS: Final = (
    (0, -1),
    (5, 3),
    (3, 5),
    (0, LOW),
    (LOW, 1 << 32),
    (7, (1 << 32) + 5),
    (1 << 31, 5),
    ((1 << 31) + 4, 5),
    ((1 << 31) + 5, (1 << 32) + 5),
)


def _frames() -> Iterator[Json]:
    cases = (
        (0, frame.CONTROL, control.encode_all((control.Dump(), control.Bye(1)))),
        (1, frame.CONTROL, b""),
        (2, frame.PACKET, _PACKET),
        (LOW, frame.PACKET, _PACKET),
        (LOW + 1, frame.PACKET, _PACKET),
        (LOW + 2, frame.PIECE, train.Piece(9, 0, True, _PACKET).encode()),
    )
    for counter, kind, plaintext in cases:
        sealed = _session(counter).seal(kind, plaintext)
        yield {"counter": counter, "type": kind, "plaintext": plaintext.hex(), "bytes": sealed.hex()}


def _train() -> Json:
    frames = _session(LOW + 3).seal_cars(_LARGE, 1000).frames()
    return {
        "key": _KEY.hex(),
        "counter": LOW + 3,
        "packet": _LARGE.hex(),
        "frames": [car.hex() for car in frames],
    }


def _pieces() -> Json:
    parts = [_LARGE[start : start + 900] for start in range(0, len(_LARGE), 900)]
    last = len(parts) - 1
    plaintexts = [train.Piece(0x0102, at, at == last, part).encode() for at, part in enumerate(parts)]
    return {"packet": _LARGE.hex(), "plaintexts": [plaintext.hex() for plaintext in plaintexts]}


def _packets() -> Iterator[Json]:
    segment = sec.SuperPacket(sec.TCP, 1332, secret("a header and a payload")).encode()
    for counter, inner in (
        (0, b"\x3a" + secret("icmp")),
        (1, bytes((sec.PARTIAL_TCP,)) + secret("tcp")),
        (LOW + 1, bytes((sec.SUPER,)) + segment),
        (LOW + 2, b"\x3b"),
    ):
        yield {"counter": counter, "inner": inner.hex(), "packet": _sealed(counter, inner).hex()}


def _sealed(counter: int, inner: bytes) -> bytes:
    clear = sec.Sealed(_INDEX, counter & LOW, bytes(len(inner) + frame.TAG_SIZE)).encode()
    fields = {"source_zone": 1, "destination_zone": 2, "hop_limit": 61, "traffic_class": 3, "flow_label": 0x12345}
    made = packet.Packet(
        next_header=packet.MESHSEC, source=ANN_ID, destination=BEN_ID, payload=clear, **fields
    ).encode()
    return made[: sec.CIPHERTEXT_AT] + Sealer(_KEY, _INDEX).seal(counter, inner, sec.associated(made))


def _window() -> Json:
    """Counters as they come to a link session, and whether each is still taken."""
    opener = Opener(_KEY, WINDOW)
    taken = []
    for counter in (0, 0, 2, 1, 1, 1026, 2, 3, 3, 5000, 3976, 3977, 5000):
        low = counter & LOW
        sealed = Sealer(_KEY, _INDEX).seal(counter, b"", b"")
        taken.append({"counter": counter, "taken": opener.open(low, sealed, b"") is not None})
    return {"size": WINDOW, "came": taken}
