"""scrypt (RFC 7914) as the wallet file uses it: parameters, their bounds, and how they are chosen."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeGuard

from meshchain.crypto import scrypt
from wallet.errors import WalletError

KEY_SIZE: Final = 32
SALT_SIZE: Final = 16
MAX_MEMORY: Final = 2**28
"""Bytes (128·n·r). A file that asks for more is refused before anything is allocated."""
MAX_WORK: Final = 2**22
"""n·r·p: some five seconds on a slow core."""
MIN_N: Final = 2**10
_TARGET: Final = 0.1
"""Seconds that one derivation takes at least, where the memory bound allows."""


@dataclass(frozen=True, slots=True)
class Cost:
    n: int
    r: int = 8
    p: int = 1

    def derive(self, passphrase: bytes, salt: bytes) -> bytes:
        """The 32-byte key behind ``passphrase``."""
        return scrypt(passphrase, salt, n=self.n, r=self.r, p=self.p, size=KEY_SIZE)

    def to_json(self) -> dict[str, int]:
        return {"n": self.n, "r": self.r, "p": self.p}

    @classmethod
    def from_json(cls, table: Mapping[str, Any]) -> "Cost":
        """WalletError (wallet-damaged) unless the parameters are sane and within the bounds."""
        n, r, p = table.get("n"), table.get("r"), table.get("p")
        if not (_is_count(n) and _is_count(r) and _is_count(p)):
            raise WalletError("wallet-damaged", "the wallet file is damaged: n, r and p of its scrypt are not integers")
        cost = cls(n, r, p)
        if n & (n - 1) or n < MIN_N or 128 * n * r > MAX_MEMORY or n * r * p > MAX_WORK:
            raise WalletError(
                "wallet-damaged",
                f"the wallet file is damaged or hostile: scrypt n={n}, r={r}, p={p} is outside the bounds",
            )
        return cost


DEFAULT: Final = Cost(2**15)
"""About 0.1 s and 32 MiB on a current core."""


def _is_count(value: object) -> TypeGuard[int]:
    return type(value) is int and 1 <= value <= 2**32


def tuned(clock: Callable[[], float]) -> Cost:
    """The cheapest n from 2^15 to 2^18 (256 MiB) that takes 0.1 s here; measured once, at the wallet's
    creation.

    ``clock`` returns seconds and never steps back.
    """
    start = clock()
    DEFAULT.derive(b"measuring", bytes(SALT_SIZE))
    elapsed = clock() - start
    n = DEFAULT.n
    while elapsed < _TARGET and 128 * 2 * n * DEFAULT.r <= MAX_MEMORY:
        n, elapsed = 2 * n, 2 * elapsed  # the time is linear in n
    return Cost(n)
