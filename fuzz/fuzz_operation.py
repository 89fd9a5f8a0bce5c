"""Feed bytes to the decoders of operations, drafts and blocks: they decode, or raise CodecError or RuleError.

    python fuzz/fuzz_operation.py [CORPUS_DIR] [-max_total_time=60 …]     (options are libFuzzer's)

What decodes has to encode to the very same bytes (one operation, one encoding), and a stamped operation has to be
a draft too. Random bytes nearly always end at the codec, so half the inputs are built as a map of an operation's
fields, of which some are right, some arbitrary.
"""

import sys

try:
    import atheris
except ImportError:
    sys.exit("atheris is not installed; on Python 3.11 or 3.12:  pip install 'atheris==3.0.0'  (Linux)")

with atheris.instrument_imports():
    from meshchain.ledger import codec, operations, params
    from meshchain.ledger.block import Block
    from meshchain.ledger.errors import CodecError, RuleError

CONSENSUS = params.load("mesh").consensus
SIZES = {
    "commitment": 32,
    "salt": 32,
    "owner": 33,
    "new_owner": 33,
    "reg": 16,
    "signature": 64,
}
"""Fields that are byte strings."""
FIELDS = ("name", "born", "seq", "expires", "record", "stamp", *SIZES)
KINDS = ("commit", "reveal", "update", "renew", "transfer", "revoke", "other")


def arbitrary(data: atheris.FuzzedDataProvider) -> codec.Value:
    choices: list[codec.Value] = [
        data.ConsumeIntInRange(0, 2**64 - 1),
        data.ConsumeBytes(data.ConsumeIntInRange(0, 80)),
        data.ConsumeUnicodeNoSurrogates(20),
        [data.ConsumeIntInRange(0, 99)],
        None,
        True,
    ]
    return data.PickValueInList(choices)


def right(data: atheris.FuzzedDataProvider, field: str) -> codec.Value:
    if field in SIZES:
        return data.ConsumeBytes(SIZES[field]).ljust(SIZES[field], b"\0")
    if field == "name":
        return "".join(data.PickValueInList(list("abc-19")) for _ in range(data.ConsumeIntInRange(0, 64)))
    if field == "stamp":
        nonces: list[codec.Value] = [data.ConsumeIntInRange(0, 2**64 - 1) for _ in range(8)]
        return [data.ConsumeIntInRange(0, 2**32), data.ConsumeBytes(8), data.ConsumeIntInRange(0, 70), nonces]
    if field == "record":
        host: codec.Value = {key: arbitrary(data) for key in ("label", "key", "ip6", "zone", "proof")}
        return {"hosts": [host], "dns": [["", "A", 60, arbitrary(data)]]}
    return data.ConsumeIntInRange(0, 2**64 - 1)


def from_fields(data: atheris.FuzzedDataProvider) -> bytes:
    """An operation in canonical CBOR with some of the fields that operations have."""
    table: dict[str, codec.Value] = {"kind": data.PickValueInList(list(KINDS))}
    for field in FIELDS:
        if data.ConsumeBool():
            table[field] = right(data, field) if data.ConsumeIntInRange(0, 7) else arbitrary(data)
    return codec.encode(table)


def try_operation(raw: bytes) -> None:
    try:
        draft = operations.decode_draft(raw, CONSENSUS)
    except (CodecError, RuleError) as refused:
        try:
            operations.decode(raw, CONSENSUS)
        except type(refused):
            return
        raise AssertionError(f"an operation that is no draft: {raw.hex()}") from refused
    if operations.encode(draft) != raw:
        raise AssertionError(f"two encodings of one operation: {raw.hex()}")
    try:
        whole = operations.decode(raw, CONSENSUS)
    except CodecError:
        return
    if whole != draft:
        raise AssertionError(f"a draft and an operation differ: {raw.hex()}")


def try_block(raw: bytes) -> None:
    try:
        block = Block.decode(raw, CONSENSUS)
    except (CodecError, RuleError):
        return
    if block.encode() != raw:
        raise AssertionError(f"two encodings of one block: {raw.hex()}")


def one_input(raw: bytes) -> None:
    data = atheris.FuzzedDataProvider(raw)
    if data.ConsumeBool():
        operation = from_fields(data)
        try_operation(operation)
        try_block(b"\0\0\0\1" + bytes(120) + codec.encode([operation]))
    else:
        rest = data.ConsumeBytes(data.remaining_bytes())
        try_operation(rest)
        try_block(rest)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
