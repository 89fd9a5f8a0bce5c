"""Memory-hard functions: argon2id (proof of work, stamps) and scrypt (wallet passphrases).

argon2id goes to the C function through cffi, without argon2-cffi's wrapper: bytes are handed over without
copies. cffi releases the GIL for the call, so threads hash side by side.
"""

import hashlib
from functools import cache
from typing import Any, Final, NoReturn

from meshchain.crypto.arms import arm

_ARGON2_VERSION: Final = 0x13
_ARGON2ID: Final = 2


@cache
def _argon2() -> tuple[Any, Any]:
    """(ffi, lib) of the bindings, imported at the first hash."""
    from argon2 import low_level

    return low_level.ffi, vars(low_level)["lib"]


def argon2id(
    password: bytes, salt: bytes, *, memory_kib: int, passes: int = 1, lanes: int = 1, size: int = 32
) -> bytes:
    """Argon2id version 1.3 (RFC 9106) without key and associated data; ``size`` bytes.

    One MiB and one pass take about half a millisecond. ValueError where RFC 9106 §3.1 sets a limit (salt of
    8 bytes and more, memory of 8 KiB and more a lane), MemoryError if the memory is not to be had.
    """
    ffi, lib = _argon2()
    out = ffi.new("uint8_t[]", size)
    failure = lib.argon2_hash(
        passes, memory_kib, lanes, password, len(password), salt, len(salt),
        out, size, ffi.NULL, 0, _ARGON2ID, _ARGON2_VERSION,
    )  # fmt: skip
    if failure:
        _raise_argon2(failure)
    hashed: bytes = ffi.buffer(out)[:]
    return hashed


def _raise_argon2(failure: int) -> NoReturn:
    ffi, lib = _argon2()
    message = "argon2id: " + ffi.string(lib.argon2_error_message(failure)).decode("ascii").lower()
    raise MemoryError(message) if failure == lib.ARGON2_MEMORY_ALLOCATION_ERROR else ValueError(message)


def scrypt(password: bytes, salt: bytes, *, n: int, r: int, p: int, size: int) -> bytes:
    """scrypt (RFC 7914), ``size`` bytes; takes about 128 · n · r bytes of memory.

    ValueError for parameters that the RFC forbids.
    """
    if not hasattr(hashlib, "scrypt"):
        return arm().scrypt(password, salt, n, r, p, size)
    # OpenSSL refuses above 32 MiB unless told; it counts both of the algorithm's arrays and its scratch
    memory = 128 * r * (n + p + 2)
    return hashlib.scrypt(password, salt=salt, n=n, r=r, p=p, maxmem=memory, dklen=size)
