"""The listening socket, and an error for a taken port that says who has it."""

import contextlib
import errno
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from meshchain.ledger.errors import LocalError

_LISTEN: Final = "0A"
"""TCP_LISTEN in the st column of /proc/net/tcp (Linux, include/net/tcp_states.h)."""


def listen(host: str, port: int, backlog: int = 64, *, bound: Callable[[], None] = lambda: None) -> socket.socket:
    """Bind and listen on the first address of ``host`` (port 0: any free one).

    ``bound`` is called when the port is ours and nobody can connect yet; a LocalError of it goes through.
    Raises LocalError "port-in-use" (names the port and, where /proc tells, the process), "bad-address".
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError) as error:
        raise LocalError("bad-address", f"RPC: {host!r} is no address of this machine: {error}") from None
    listener = socket.socket(family, kind)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        bound()
        listener.listen(backlog)
    except OSError as error:
        listener.close()
        raise _bind_error(error, host, port) from None
    except LocalError:
        listener.close()
        raise
    listener.setblocking(False)
    return listener


def _bind_error(error: OSError, host: str, port: int) -> LocalError:
    if error.errno != errno.EADDRINUSE:
        return LocalError("bad-address", f"RPC cannot listen on {host}:{port}: {error.strerror}", port=port)
    process = port_owner(port)
    holder = f"process {process[0]} ({process[1]})" if process else "another process"
    message = f"RPC port {host}:{port} is in use by {holder}; stop it or choose another with --rpc"
    return LocalError("port-in-use", message, port=port, process=process[0] if process else None)


def port_owner(port: int, proc: Path = Path("/proc")) -> tuple[int, str] | None:
    """(pid, name) of a process that listens on TCP ``port``; None where /proc does not tell."""
    wanted = {f"socket:[{inode}]" for inode in _listening_inodes(port, proc)}
    if not wanted:
        return None
    for folder in proc.glob("[0-9]*"):
        if wanted & set(_open_files(folder)):
            with contextlib.suppress(OSError):
                return int(folder.name), (folder / "comm").read_text(encoding="utf-8").strip()
    return None


def _listening_inodes(port: int, proc: Path) -> Iterator[str]:
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            for line in (proc / "net" / table).read_text(encoding="ascii").splitlines()[1:]:
                fields = line.split()
                if fields[3] == _LISTEN and int(fields[1].rpartition(":")[2], 16) == port:
                    yield fields[9]


def _open_files(folder: Path) -> Iterator[str]:
    with contextlib.suppress(OSError):  # processes end, and those of other users hide theirs
        for link in (folder / "fd").iterdir():
            with contextlib.suppress(OSError):
                yield os.readlink(link)
