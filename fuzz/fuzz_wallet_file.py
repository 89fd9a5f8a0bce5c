"""Feed the wallet file's decoders with whatever libFuzzer finds: python fuzz/fuzz_wallet_file.py [-runs=N] [CORPUS]

Any bytes must end in an open wallet or a WalletError, whatever they ask scrypt for.
"""

import sys

try:
    import atheris
except ImportError:
    sys.exit("atheris is missing: pip install 'atheris==3.0.0' (Python 3.11 and 3.12; or pip install '.[fuzz]')")

with atheris.instrument_imports(include=["wallet"]):
    from wallet.errors import WalletError
    from wallet.keystore import envelope
    from wallet.keystore.payload import Payload


def one_input(data: bytes) -> None:
    try:
        opened = envelope.parse(data)
        if opened.lock is None:
            Payload.decode(opened.open(None))
    except WalletError:
        pass
    try:
        Payload.decode(data)
    except WalletError:
        return


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
