"""Making a wallet: fresh words or given ones, sealed, and shown to the one person who should see them."""

import secrets
import sys
import time

from wallet import words
from wallet.context import Wallet
from wallet.keystore import kdf


def create(wallet: Wallet, sentence: str) -> bool:
    """Write a new wallet around ``sentence``; True if it is protected. Warns where it is not."""
    protected = wallet.keystore.create(sentence, lambda: kdf.tuned(time.perf_counter))
    if not protected:
        wallet.warn(
            f"the wallet {wallet.path} is stored unprotected (mode 600): no passphrase was given. Whoever reads this"
            " file owns your names"
        )
    return protected


def fresh_words() -> str:
    return words.from_entropy(secrets.token_bytes(words.ENTROPY_SIZE))


def show_words(wallet: Wallet, sentence: str) -> None:
    """On stderr, with what they are for."""
    wallet.note(
        "These words bring back every name of this wallet, on any machine. Write them down now and keep them secret:\n"
        f"\n    {sentence}\n\nThey can be shown again with `meshwallet words`."
    )


def create_at_first_use(wallet: Wallet) -> None:
    """The wallet that a first ``register`` makes; its words are shown only where a person looks on."""
    sentence = fresh_words()
    create(wallet, sentence)
    wallet.note(f"made a new wallet at {wallet.path}")
    if sys.stderr.isatty():
        show_words(wallet, sentence)
    else:
        wallet.note("keep its seed words safe: `meshwallet words` shows them")
