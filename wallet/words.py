"""Seed words (BIP39, English list): made from randomness, checked by checksum, turned into a 64-byte seed.

Twelve words by default; 12, 15, 18, 21 or 24 are accepted. The BIP39 passphrase is always empty: a wallet
must come back from the words alone. The library loads at first use, because the word list costs start-up
time.
"""

from difflib import get_close_matches
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from wallet.errors import WalletError

if TYPE_CHECKING:
    from mnemonic import Mnemonic

COUNTS: Final = (12, 15, 18, 21, 24)
MAX_HINTS: Final = 4
"""Unknown words that a message names: more of them are hardly seed words at all."""
ENTROPY_SIZE: Final = 16
"""Bytes of entropy behind twelve words."""


@lru_cache(maxsize=1)
def _library() -> "Mnemonic":
    from mnemonic import Mnemonic

    return Mnemonic("english")


def from_entropy(entropy: bytes) -> str:
    """The words that encode ``entropy`` (16, 20, 24, 28 or 32 bytes), separated by single spaces."""
    return str(_library().to_mnemonic(entropy))


def check(text: str) -> str:
    """Return ``text`` as lower-case words with single spaces; WalletError (words-count, words-unknown,
    words-checksum) if it is no BIP39 sentence. Unknown words are named with the nearest known one.
    """
    library = _library()
    words = library.normalize_string(text).lower().split()
    if len(words) not in COUNTS:
        raise WalletError("words-count", f"seed words come as {_counts()}; these are {len(words)}", count=len(words))
    _check_known(words, list(library.wordlist))
    sentence = " ".join(words)
    if not library.check(sentence):
        raise WalletError(
            "words-checksum",
            "every word is known, but the checksum does not fit: a word is wrong or two have changed places",
        )
    return sentence


def seed(sentence: str) -> bytes:
    """The 64-byte BIP39 seed: PBKDF2-HMAC-SHA512, 2,048 rounds, salt "mnemonic"."""
    from mnemonic import Mnemonic

    return bytes(Mnemonic.to_seed(sentence))


def _counts() -> str:
    return f"{', '.join(map(str, COUNTS[:-1]))} or {COUNTS[-1]}"


def _check_known(words: list[str], known: list[str]) -> None:
    unknown = [(at, word) for at, word in enumerate(words, 1) if word not in known]
    if unknown:
        hints = "; ".join(_hint(at, word, known) for at, word in unknown[:MAX_HINTS])
        hints += "; …" if unknown[MAX_HINTS:] else ""
        raise WalletError("words-unknown", f"not in the word list: {hints}", positions=[at for at, _ in unknown])


def _hint(at: int, word: str, known: list[str]) -> str:
    near = get_close_matches(word[:16], known, n=1, cutoff=0.5)
    return f"word {at} {word[:16]!r}" + (f" (perhaps {near[0]!r}?)" if near else "")
