"""Time: wall clock, running time, and whether the kernel believes its own clock."""

import ctypes
import sys
import time

_STA_UNSYNC = 0x0040
_TIME_ERROR = 5


class SystemClock:
    def now(self) -> float:
        return time.time()

    def running(self) -> float:
        return time.monotonic()

    def synchronised(self) -> bool:
        return _kernel_synchronised()


class _Timex(ctypes.Structure):
    """struct timex of adjtimex(2): only modes and status are used; the rest is room."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),
    )


def _kernel_synchronised() -> bool:
    if not sys.platform.startswith("linux"):
        return False
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        timex = _Timex()  # modes 0: read only, needs no privilege
        state: int = libc.adjtimex(ctypes.byref(timex))
    except (OSError, AttributeError):
        return False
    return state not in (-1, _TIME_ERROR) and not timex.status & _STA_UNSYNC
