"""Feed bytes to the stamp decoder and the stamp's rules: CodecError, RuleError, and nothing else.

    python fuzz/fuzz_stamp.py [CORPUS_DIR] [-max_total_time=60 …]     (options are libFuzzer's)

Half the inputs are the bytes of a stamp, half are its parts, so that well-shaped stamps with arbitrary
heights, bits and nonces reach the rules (at argon2id's least memory).
"""

import sys

try:
    import atheris
except ImportError:
    sys.exit("atheris is not installed; on Python 3.11 or 3.12:  pip install 'atheris==3.0.0'  (Linux)")

with atheris.instrument_imports():
    from meshchain.ledger import codec, params, stamps
    from meshchain.ledger.errors import CodecError, RuleError
    from meshchain.ledger.stamps import Stamp
    from meshchain.ledger.workers import InlineWorkers

CONSENSUS = params.load("mesh").consensus
MEMORY_KIB, WORKERS = 8, InlineWorkers()


def uint(data: atheris.FuzzedDataProvider) -> int:
    number: int = data.ConsumeIntInRange(0, (1 << data.ConsumeIntInRange(0, 64)) - 1)
    return number


def from_parts(data: atheris.FuzzedDataProvider) -> bytes:
    nonces: list[codec.Value] = [uint(data) for _ in range(data.ConsumeIntInRange(7, 9))]
    return codec.encode([uint(data), data.ConsumeBytes(data.ConsumeIntInRange(7, 9)), uint(data), nonces])


def decode(encoded: bytes) -> Stamp:
    stamp = Stamp.from_value(codec.decode(encoded))
    if codec.encode(stamp.to_value()) != encoded:
        raise AssertionError(f"two encodings of one stamp: {encoded.hex()}")
    return stamp


def check(stamp: Stamp, body: bytes) -> None:
    challenge = stamps.challenge(stamp.anchor_height, stamp.anchor_hash, body, b"")
    stamps.check_work(stamp, challenge, MEMORY_KIB, WORKERS)
    stamps.check_bits(stamp, CONSENSUS, "reveal", "alice")


def one_input(raw: bytes) -> None:
    data = atheris.FuzzedDataProvider(raw)
    whole = data.ConsumeBool()
    encoded = data.ConsumeBytes(data.remaining_bytes()) if whole else from_parts(data)
    try:
        check(decode(encoded), raw)
    except (CodecError, RuleError):
        return


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
