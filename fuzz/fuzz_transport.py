"""Feed bytes to streams: TransportError, or what was sent, and never more kept than came.

    python fuzz/fuzz_transport.py [CORPUS_DIR] [-max_total_time=60 …]     (options are libFuzzer's)

The first byte chooses: bytes from a stranger to an initiator or a responder, at once or in pieces; plaintexts that a
proven peer seals (so the fuzzer gets behind the cipher); or an honest peer's frames, cut, changed and reordered.
"""

import sys
from random import Random

try:
    import atheris
except ImportError:
    sys.exit("atheris is not installed; on Python 3.11 or 3.12:  pip install 'atheris==3.0.0'  (Linux)")

with atheris.instrument_imports():
    from meshchain.p2p.transport import MAX_MESSAGE, Event, Received, Stream, TransportError
    from meshchain.p2p.transport.frames import MAX_SEALED, frame
    from meshchain.p2p.transport.keyexchange import KeyExchange

LIMITS = {0: 10, 1: 1000, 2: MAX_MESSAGE}
PLAIN_LIMIT = 60_000


def limit_of(kind: int) -> int:
    return LIMITS.get(kind, 0)


def stream(*, initiator: bool) -> Stream:
    return Stream(
        initiator=initiator, seed=bytes([initiator]) * 32, rng=Random(1).randbytes, now=0.0, limit_of=limit_of
    )


def feed(victim: Stream, pieces: list[bytes]) -> list[Event]:
    events, came = [], 0
    for piece in pieces:
        came += len(piece)
        try:
            events += victim.receive(piece, 0.0)
        except TransportError:
            break
        if victim.held > came or victim.held > 2 + MAX_SEALED + 4 + MAX_MESSAGE:
            raise AssertionError(f"{victim.held} bytes kept of {came}")
    victim.take_output()
    return events


def pieces_of(data: atheris.FuzzedDataProvider, source: bytes) -> list[bytes]:
    pieces = []
    while source:
        size = data.ConsumeIntInRange(1, len(source)) if data.remaining_bytes() else len(source)
        pieces.append(source[:size])
        source = source[size:]
    return pieces


def from_stranger(data: atheris.FuzzedDataProvider) -> None:
    victim = stream(initiator=data.ConsumeBool())
    content = data.ConsumeBytes(data.ConsumeIntInRange(0, 1000))
    wire = frame(content) if data.ConsumeBool() else content
    if feed(victim, pieces_of(data, wire + data.ConsumeBytes(1000))):
        raise AssertionError(f"a stranger was heard: {wire.hex()}")


def opened() -> tuple[KeyExchange, Stream]:
    """A peer that has proven its key, and its victim."""
    peer, victim = KeyExchange(initiator=True, seed=bytes(32), rng=Random(2).randbytes), stream(initiator=False)
    victim.receive(frame(peer.write() or b""), 0.0)
    peer.read(victim.take_output()[2:])
    victim.receive(frame(peer.write() or b""), 0.0)
    return peer, victim


def from_proven_peer(data: atheris.FuzzedDataProvider) -> None:
    """What arrives is the plaintext, cut by its lengths."""
    peer, victim = opened()
    cipher, _ = peer.split()
    plaintext = data.ConsumeBytes(PLAIN_LIMIT)
    events = feed(victim, [frame(cipher.seal(piece)) for piece in pieces_of(data, plaintext)])
    rebuilt = b"".join(len(event.message).to_bytes(4, "big") + event.message for event in events)
    if not plaintext.startswith(rebuilt) or any(len(e.message) > limit_of(e.message[0]) for e in events):
        raise AssertionError(f"{rebuilt.hex()} came of {plaintext.hex()}")


def on_the_path(data: atheris.FuzzedDataProvider) -> None:
    """What arrives is a beginning of what was sent."""
    peer, victim = opened()
    cipher, _ = peer.split()
    sent = [bytes([1, number]) for number in range(6)]
    frames = [frame(cipher.seal(b"\0\0\0\2" + message)) for message in sent]
    wire = b"".join(frames[data.ConsumeIntInRange(0, 5)] for _ in range(data.ConsumeIntInRange(0, 8)))
    wire = bytearray(wire + data.ConsumeBytes(40))
    for _ in range(data.ConsumeIntInRange(0, 3) if wire else 0):
        wire[data.ConsumeIntInRange(0, len(wire) - 1)] ^= data.ConsumeIntInRange(0, 255)
    arrived = [event.message for event in feed(victim, pieces_of(data, bytes(wire))) if isinstance(event, Received)]
    if arrived != sent[: len(arrived)]:
        raise AssertionError(f"{arrived} arrived of {sent}")


WAYS = (from_stranger, from_proven_peer, on_the_path)


def one_input(raw: bytes) -> None:
    data = atheris.FuzzedDataProvider(raw)
    WAYS[data.ConsumeIntInRange(0, len(WAYS) - 1)](data)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
