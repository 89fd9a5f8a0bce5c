"""Programs: where they are found, and how they are run and started."""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

PROGRAMS: Final = Path(sys.executable).parent
SEARCH: Final = os.pathsep.join([str(PROGRAMS), os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])
_PROXIES: Final = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
"""The user's way to the Internet is none to a host of the mesh."""
_LIBC: Final = ctypes.CDLL(None)
_PR_SET_PDEATHSIG: Final = 1


def installed(program: str) -> bool:
    return shutil.which(program, path=SEARCH) is not None


def run(
    words: Sequence[str], settings: Mapping[str, str], out: int | None, errors: int | None
) -> "subprocess.CompletedProcess[str]":
    """Until it ends. ``out``, ``errors``: PIPE, or None for our own."""
    environment = _environment(settings)
    return subprocess.run(
        words, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=errors, text=True, check=False
    )


def start(
    words: Sequence[str], settings: Mapping[str, str], out: int, errors: int, sockets: Sequence[int] = ()
) -> "subprocess.Popen[bytes]":
    """In a process group of its own, so that Ctrl-C is ours to pass on. ``sockets``: that it is given."""
    return subprocess.Popen(
        words,
        env=_environment(settings),
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=errors,
        pass_fds=sockets,
        process_group=0,
        preexec_fn=_end_with_parent,
    )


def _environment(settings: Mapping[str, str]) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if key not in _PROXIES}
    return {**kept, **settings, "PATH": SEARCH}


def _end_with_parent() -> None:
    """Even if this program is killed, what it started ends (prctl(2), which is Linux's)."""
    if sys.platform == "linux":
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
