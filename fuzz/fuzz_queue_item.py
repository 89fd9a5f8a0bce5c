"""Feed bytes to the reader of stored queue items: an item or StoreError "damaged", and nothing else.

    python fuzz/fuzz_queue_item.py [CORPUS_DIR] [-max_total_time=60 …]     (options are libFuzzer's)

Mutated whole rows nearly always end in the codec, so half the inputs choose fields of a well-formed row instead.
"""

import sys

try:
    import atheris
except ImportError:
    sys.exit("atheris is not installed; on Python 3.11 or 3.12:  pip install 'atheris==3.0.0'  (Linux)")

with atheris.instrument_imports():
    from meshchain.ledger import codec, operations, params
    from meshchain.ledger.errors import StoreError
    from meshchain.ledger.queue import stored

GENESIS = bytes(32)
CONSENSUS = params.load("dev").consensus
COMMIT = operations.Commit(commitment=b"\x5a" * 32)
REVEAL = operations.Reveal(name="alice", salt=bytes(32), owner=b"\x02" * 33, born=0, record={"v": 1})
KEYS = (
    "version",
    "operation",
    "order",
    "added",
    "signer",
    "base_seq",
    "life_end",
    "sent_at",
    "refusal",
    "partial",
    "ended",
)
PARTIAL = ("anchor_height", "anchor_hash", "bits", "start", "found", "tried")
ENDED = ("state", "code", "message", "winner", "height", "block")


def value(data: atheris.FuzzedDataProvider, depth: int = 2) -> codec.Value:
    """Any value of the codec, near the ones that stand in a row."""
    kind = data.ConsumeIntInRange(0, 8)
    if kind == 0:
        return None
    if kind == 1:
        return data.ConsumeBool()
    if kind == 2:
        return data.ConsumeIntInRange(0, 2**64 - 1)
    if kind == 3:
        return data.PickValueInList(["conflict-lost", "expired", "refused", data.ConsumeUnicodeNoSurrogates(8)])
    if kind in (4, 5):
        return data.ConsumeBytes(data.PickValueInList([0, 8, 32, 33, 5]))
    if depth == 0:
        return data.ConsumeIntInRange(0, 100)
    if kind == 6:
        return [value(data, 0) for _ in range(data.PickValueInList([0, 7, 8, 9]))]
    keys = PARTIAL if kind == 7 else ENDED
    return {key: value(data, depth - 1) for key in keys}


def from_fields(data: atheris.FuzzedDataProvider) -> bytes:
    """A row with all keys, whose operation is a good one and whose other fields come from ``data``."""
    fields = {key: value(data) for key in KEYS}
    fields["version"] = stored.VERSION
    fields["operation"] = operations.encode(data.PickValueInList([COMMIT, REVEAL]))
    return codec.encode(fields)


def one_input(raw: bytes) -> None:
    data = atheris.FuzzedDataProvider(raw)
    whole = data.ConsumeBool()
    opid = operations.opid(data.PickValueInList([COMMIT, REVEAL]), GENESIS)
    row = data.ConsumeBytes(data.remaining_bytes()) if whole else from_fields(data)
    try:
        item = stored.decode(opid, row, GENESIS, CONSENSUS)
    except StoreError as error:
        if error.code != "damaged":
            raise
        return
    if stored.encode(item) != row:
        raise AssertionError(f"the row {row.hex()} is read as {item} and written otherwise")


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
