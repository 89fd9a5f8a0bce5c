"""Feed bytes to the codec: CodecError, or a value that encodes to the same bytes.

python fuzz/fuzz_codec.py [CORPUS_DIR] [-max_total_time=60 …]     (options are libFuzzer's)
"""

import sys

try:
    import atheris
except ImportError:
    sys.exit("atheris is not installed; on Python 3.11 or 3.12:  pip install 'atheris==3.0.0'  (Linux)")

with atheris.instrument_imports():
    from meshchain.ledger import codec
    from meshchain.ledger.errors import CodecError


def one_input(data: bytes) -> None:
    try:
        value = codec.decode(data)
    except CodecError:
        return
    if codec.encode(value) != data:
        raise AssertionError(f"{data.hex()} was accepted as {value!r}, whose encoding is another")


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
