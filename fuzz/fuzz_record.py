"""Feed records to the rules of records: a typed error, or a record that every reader can read.

    python fuzz/fuzz_record.py [CORPUS_DIR] [-max_total_time=60 …]     (options are libFuzzer's)

Half the inputs are whole CBOR items; the others are read as the parts of a host and a dns record, which arrive
well-formed, so that the rules behind the shape are reached.
"""

import sys

try:
    import atheris
except ImportError:
    sys.exit("atheris is not installed; on Python 3.11 or 3.12:  pip install 'atheris==3.0.0'  (Linux)")

with atheris.instrument_imports():
    from meshchain.ledger import codec, record, record_json
    from meshchain.ledger.entry import Record
    from meshchain.ledger.errors import CodecError, RuleError
    from meshchain.ledger.params import load

CONSENSUS = load("mesh").consensus


def from_parts(data: atheris.FuzzedDataProvider) -> Record:
    host: Record = {
        "label": data.ConsumeUnicodeNoSurrogates(8),
        "key": data.ConsumeBytes(32),
        "ip6": b"\xee\xee" + bytes(8) + data.ConsumeBytes(6),
        "zone": data.ConsumeIntInRange(0, 70_000),
        "proof": data.ConsumeBytes(64),
    }
    dns: codec.Value = [data.ConsumeUnicodeNoSurrogates(8), "A", data.ConsumeIntInRange(0, 2**33), "192.0.2.1"]
    return {"hosts": [host] * data.ConsumeIntInRange(0, 9), "dns": [dns], "x": data.ConsumeBytes(2000)}


def from_bytes(raw: bytes) -> Record | None:
    try:
        value = codec.decode(raw)
    except CodecError:
        return None
    return value if isinstance(value, dict) else None


def one_input(raw: bytes) -> None:
    data = atheris.FuzzedDataProvider(raw)
    whole = data.ConsumeBool()
    shape = from_bytes(data.ConsumeBytes(data.remaining_bytes())) if whole else from_parts(data)
    if shape is None:
        return
    try:
        record.check_shape(shape, CONSENSUS)
    except (CodecError, RuleError):
        return
    record.primary_key(shape)
    record.claim(shape)
    record.host_keys(shape)
    if record_json.from_json(record_json.to_json(shape)) != shape:
        raise AssertionError(f"changed by its JSON form: {codec.encode(shape).hex()}")


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
