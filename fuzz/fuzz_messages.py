"""Feed bytes to the decoder of gossip's messages: they decode, or raise CodecError.

    python fuzz/fuzz_messages.py [CORPUS_DIR] [-max_total_time=60 …]     (options are libFuzzer's)

What decodes has to encode to the very same bytes, a Version of a later protocol excepted. Random bytes nearly always
end at the first head, so most inputs are built as an array of values under a type, some of them of the
sizes that fields have.
"""

import sys

try:
    import atheris
except ImportError:
    sys.exit("atheris is not installed; on Python 3.11 or 3.12:  pip install 'atheris==3.0.0'  (Linux)")

with atheris.instrument_imports():
    from meshchain.ledger import codec, params
    from meshchain.ledger.errors import CodecError
    from meshchain.p2p.messages import TYPES, Version, decode, encode

CONSENSUS = params.load("mesh").consensus
SIZES = (0, 2, 8, 16, 32, 64, 124, 125, 248)
HEADER = b"\0\0\0\1" + bytes(120)


def value(data: atheris.FuzzedDataProvider, depth: int) -> codec.Value:
    size = data.PickValueInList(list(SIZES))
    choices: list[codec.Value] = [
        data.ConsumeIntInRange(0, 2**64 - 1),
        data.ConsumeIntInRange(0, 9),
        data.ConsumeBytes(size).ljust(size, b"\0"),
        HEADER * data.ConsumeIntInRange(0, 3),
        data.ConsumeUnicodeNoSurrogates(20),
        "word-1",
        None,
        data.ConsumeBool(),
    ]
    if depth and data.ConsumeBool():
        return [value(data, depth - 1) for _ in range(data.ConsumeIntInRange(0, 5))]
    return data.PickValueInList(choices)


def from_values(data: atheris.FuzzedDataProvider) -> bytes:
    body = [value(data, 2) for _ in range(data.ConsumeIntInRange(0, 11))]
    return bytes((data.PickValueInList(list(TYPES)),)) + codec.encode(body)


def try_message(raw: bytes) -> None:
    try:
        message = decode(raw, CONSENSUS)
    except CodecError:
        return
    if encode(message) != raw and not (isinstance(message, Version) and message.protocol > 1):
        raise AssertionError(f"two encodings of one message: {raw.hex()}")


def one_input(raw: bytes) -> None:
    data = atheris.FuzzedDataProvider(raw)
    if data.ConsumeIntInRange(0, 3):
        try_message(from_values(data))
    else:
        try_message(data.ConsumeBytes(data.remaining_bytes()))


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
