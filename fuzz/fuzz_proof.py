"""Feed bytes to the proof verifier: it may answer or raise ProofError, and nothing else.

    python fuzz/fuzz_proof.py [CORPUS_DIR] [-max_total_time=60 …]     (options are libFuzzer's)

Mutated whole proofs nearly always end at the first broken rule, so half the inputs are read as the parts of a
proof instead, and arrive as well-formed CBOR with arbitrary depth, bitmap, siblings and end.
"""

import sys

try:
    import atheris
except ImportError:
    sys.exit("atheris is not installed; on Python 3.11 or 3.12:  pip install 'atheris==3.0.0'  (Linux)")

with atheris.instrument_imports():
    from meshchain.ledger import codec
    from meshchain.ledger.errors import ProofError
    from meshchain.ledger.proof import verify_proof

NAME, ROOT = "alice", b"\x5a" * 32


def from_parts(data: atheris.FuzzedDataProvider) -> bytes:
    """A proof in canonical CBOR whose four items come from ``data``."""
    depth = data.ConsumeIntInRange(0, 300)
    bitmap = data.ConsumeBytes(-(-depth // 8))
    siblings = data.ConsumeBytes(32 * sum(byte.bit_count() for byte in bitmap))
    ends: list[codec.Value] = [None, [data.ConsumeBytes(32), data.ConsumeBytes(32)]]
    ends.append(data.ConsumeBytes(data.remaining_bytes()))
    return codec.encode([depth, bitmap, siblings, ends[depth % 3]])


def one_input(raw: bytes) -> None:
    data = atheris.FuzzedDataProvider(raw)
    whole = data.ConsumeBool()
    proof = data.ConsumeBytes(data.remaining_bytes()) if whole else from_parts(data)
    try:
        answer = verify_proof(proof, ROOT, NAME)
    except ProofError:
        return
    raise AssertionError(f"a proof for a root that no tree has: {proof.hex()} says {answer}")


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
