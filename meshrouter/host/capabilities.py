"""Linux capabilities of this process: asked for by name, and given up for good.

capabilities(7), capset(2) with _LINUX_CAPABILITY_VERSION_3, prctl(2). Python has none of these calls; they are called
in libc by ctypes, in the few processes that change their rights.
"""

import ctypes
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from meshrouter.errors import LocalError

NET_BIND_SERVICE: Final = 10
NET_ADMIN: Final = 12
NET_RAW: Final = 13
ROUTER: Final = (NET_ADMIN, NET_RAW)
"""What a router needs: TUN, addresses, routes, nftables; raw Ethernet."""

_SETPCAP: Final = 8
_VERSION: Final = 0x20080522
_PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT = 24, 38, 47
_AMBIENT_RAISE, _AMBIENT_CLEAR_ALL = 2, 4


def effective() -> int:
    """Bits of what this process may do now."""
    return _status("CapEff")


def has(*wanted: int) -> bool:
    """Whether all of these may be used now."""
    held = effective()
    return all(held >> each & 1 for each in wanted)


def keep_only(kept: Sequence[int], *, inherit: bool) -> None:
    """Give up all but ``kept`` (of what there is); ``inherit``: programs started from here get these, and no others.

    Without ``inherit``, programs started from here get nothing, set-uid ones too. LocalError (capabilities).
    """
    held = _status("CapPrm")
    mask = sum(1 << each for each in kept) & held
    if held >> _SETPCAP & 1:
        _shrink_bounding_set(mask if inherit else 0)
    _capset(effective=mask, permitted=mask, inheritable=mask if inherit else 0)
    _prctl(_PR_CAP_AMBIENT, _AMBIENT_CLEAR_ALL)
    if inherit:
        for number in range(mask.bit_length()):
            if mask >> number & 1:
                _prctl(_PR_CAP_AMBIENT, _AMBIENT_RAISE, number)
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def _shrink_bounding_set(mask: int) -> None:
    """Root's programs get the whole bounding set when they start; so it must be small."""
    last = int(Path("/proc/sys/kernel/cap_last_cap").read_text())
    for number in range(last + 1):
        if not mask >> number & 1:
            _prctl(_PR_CAPBSET_DROP, number)


def _status(field: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return int(value, 16)
    return 0


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Data(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


def _capset(*, effective: int, permitted: int, inheritable: int) -> None:
    halves = (_Data * 2)(
        *(_Data(*(value >> shift & 0xFFFFFFFF for value in (effective, permitted, inheritable))) for shift in (0, 32))
    )
    if ctypes.CDLL(None, use_errno=True).capset(ctypes.byref(_Header(_VERSION, 0)), ctypes.byref(halves)) != 0:
        raise _failed("capset")


def _prctl(option: int, *arguments: int) -> None:
    filled = [ctypes.c_ulong(each) for each in (*arguments, 0, 0, 0, 0)[:4]]
    if ctypes.CDLL(None, use_errno=True).prctl(option, *filled) != 0:
        raise _failed(f"prctl({option})")


def _failed(call: str) -> LocalError:
    return LocalError("capabilities", f"cannot give up rights: {call}: {os.strerror(ctypes.get_errno())}")
