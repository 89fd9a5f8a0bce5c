"""Feed bytes to the decoders of the mesh's formats: they decode, or raise WireError.

    python fuzz/fuzz_wire.py [CORPUS_DIR] [-max_total_time=60 …]     (options are libFuzzer's)

The first byte chooses the format. What decodes has to encode to the very same bytes, where a format has no room that is
passed over (padding after a frame, control messages of types that nobody knows, a packet's length of 0); there, what
it encodes to has to decode to the same again. Of control and MESHCTL, half of the inputs are built as messages of a
known type with a body near its size, for random bytes nearly always end at the first length.
"""

import sys

try:
    import atheris
except ImportError:
    sys.exit("atheris is not installed; on Python 3.11 or 3.12:  pip install 'atheris==3.0.0'  (Linux)")

with atheris.instrument_imports():
    from meshrouter.errors import WireError
    from meshrouter.groups.message import GroupData
    from meshrouter.trace.echo import Echo, EchoReply
    from meshrouter.trace.probe import Probe
    from meshrouter.trace.report import SignedReport
    from meshrouter.wire import beacon, control, ends, frame, handshake, meshctl, packet, sec, train
    from meshrouter.wire.nosession import NoSession

CLASSES = (
    frame.Frame,
    beacon.Beacon,
    beacon.Solicit,
    handshake.Init,
    handshake.Response,
    handshake.Cookie,
    handshake.LinkPayload,
    handshake.EndPayload,
    NoSession,
    packet.Packet,
    sec.Sealed,
    sec.SuperPacket,
    ends.EndHandshake,
    train.Piece,
    *control.TYPES.values(),
    *meshctl.TYPES.values(),
    GroupData,
    Echo,
    EchoReply,
)
CTL_TYPES = {**meshctl.TYPES, Probe.TYPE: Probe, SignedReport.TYPE: SignedReport}
LOOSE = (frame.Frame, packet.Packet)
SIZES = (0, 1, 8, 15, 22, 23, 34, 43, 51, 53, 97, 115, 313)


def try_class(cls: type, raw: bytes) -> None:
    try:
        value = cls.decode(raw)
    except WireError:
        return
    again = value.encode()
    if again != raw and (cls not in LOOSE or cls.decode(again) != value):
        raise AssertionError(f"{cls.__name__}: two encodings of one value: {raw.hex()}")


def try_control(raw: bytes) -> None:
    try:
        messages = control.decode_all(raw)
    except WireError:
        return
    if control.decode_all(control.encode_all(messages)) != messages or len(messages) > len(raw) // 3:
        raise AssertionError(f"control: {raw.hex()}")


def try_meshctl(raw: bytes) -> None:
    try:
        message = meshctl.decode(raw, CTL_TYPES)
    except WireError:
        return
    if meshctl.encode(message) != raw:
        raise AssertionError(f"MESHCTL: two encodings of one message: {raw.hex()}")


def body(data: atheris.FuzzedDataProvider) -> bytes:
    size = max(data.PickValueInList(list(SIZES)) + data.ConsumeIntInRange(-1, 1), 0)
    return data.ConsumeBytes(size).ljust(size, b"\0")


def built_control(data: atheris.FuzzedDataProvider) -> bytes:
    parts = []
    for _ in range(data.ConsumeIntInRange(0, 5)):
        content = body(data)
        parts.append(bytes((data.ConsumeIntInRange(0, 10),)) + len(content).to_bytes(2, "big") + content)
    return b"".join(parts) + data.ConsumeBytes(data.ConsumeIntInRange(0, 2))


def one_input(raw: bytes) -> None:
    data = atheris.FuzzedDataProvider(raw)
    choice = data.ConsumeIntInRange(0, 3)
    if choice == 0:
        try_control(built_control(data))
    elif choice == 1:
        try_meshctl(bytes((data.ConsumeIntInRange(0, 6),)) + body(data))
    elif choice == 2:
        rest = data.ConsumeBytes(data.remaining_bytes())
        try_control(rest)
        try_meshctl(rest)
    else:
        cls = data.PickValueInList(list(CLASSES))
        try_class(cls, data.ConsumeBytes(data.remaining_bytes()))


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
