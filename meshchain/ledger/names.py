"""Which strings are names and labels: the letter-digit-hyphen rule of DNS (RFC 1123 §2.1, RFC 5890 §2.3.1).

Whether an ``xn--`` label is valid IDNA is policy of wallet and resolver: library versions must not decide
consensus.
"""

import re
from typing import Final

from meshchain.ledger.errors import RuleError

MAX_NAME: Final = 63
_ALPHABET: Final = re.compile(r"[a-z0-9-]+", re.ASCII)


def check_name(name: str) -> None:
    """Raise RuleError with the broken rule unless ``name`` is 1–63 of a–z, 0–9 and '-' in a permitted place."""
    if not 1 <= len(name) <= MAX_NAME:
        raise RuleError("name-length", f"a name has 1 to {MAX_NAME} characters, this one has {len(name)}")
    if not _ALPHABET.fullmatch(name):
        raise RuleError("name-alphabet", "a name holds only a-z, 0-9 and '-'")
    if name[0] == "-" or name[-1] == "-":
        raise RuleError("name-edge-hyphen", "a name neither begins nor ends with '-'")
    if name[2:4] == "--" and not name.startswith("xn--"):
        raise RuleError("name-double-hyphen", "'--' at positions 3 and 4 is kept for xn-- names")
