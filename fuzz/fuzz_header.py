"""Feed bytes to the header decoder and what follows it: CodecError, RuleError, HeldError, and nothing else.

    python fuzz/fuzz_header.py [CORPUS_DIR] [-max_total_time=60 …]     (options are libFuzzer's)

A header that decodes goes on through time, difficulty and work (at argon2id's least memory), on top of the
state that the headers before it left, so the state meets any sequence of 64-bit times.
"""

import sys
from collections.abc import Callable
from dataclasses import replace

try:
    import atheris
except ImportError:
    sys.exit("atheris is not installed; on Python 3.11 or 3.12:  pip install 'atheris==3.0.0'  (Linux)")

with atheris.instrument_imports():
    from meshchain.ledger import chaintime, compact, difficulty, params
    from meshchain.ledger.errors import CodecError, HeldError, RuleError
    from meshchain.ledger.header import VERSION, Header
    from meshchain.ledger.pow import check_work

MESH = params.load("mesh")
CONSENSUS = replace(MESH.consensus, pow_memory_kib=8)
LIMIT = compact.to_target(CONSENSUS.pow_limit_bits)


def decode(data: bytes) -> Header:
    header = Header.decode(data)
    if header.encode() != data:
        raise AssertionError(f"two encodings of one header: {data.hex()}")
    return header


def refused(rule: Callable[..., None], *values: object) -> bool:
    try:
        rule(*values)
    except (RuleError, HeldError):
        return True
    return False


def connect(header: Header, state: difficulty.Difficulty, median: int) -> difficulty.Difficulty:
    bits = difficulty.next_bits(CONSENSUS, state, header.time)
    if not 0 < compact.to_target(bits) <= LIMIT:
        raise AssertionError(f"bits {bits:08x} out of bounds after {state}")
    refused(chaintime.check_time, header.time, median)
    refused(chaintime.check_future, header.time, MESH.consensus.genesis_time, MESH.policy)
    refused(check_work, header, CONSENSUS)
    return difficulty.advance(CONSENSUS, state, header.time, bits)


def one_input(raw: bytes) -> None:
    data = atheris.FuzzedDataProvider(raw)
    state, times = difficulty.at_genesis(CONSENSUS), [CONSENSUS.genesis_time]
    while data.remaining_bytes():
        version = VERSION.to_bytes(4, "big") if data.ConsumeBool() else b""
        try:
            header = decode(version + data.ConsumeBytes(Header.SIZE - len(version)))
        except CodecError:
            continue
        state = connect(header, state, chaintime.median_time_past(times))
        times.append(header.time)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
