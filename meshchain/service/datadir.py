"""The folder of one network: made private, locked while a node runs in it."""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from meshchain.ledger.errors import LocalError


class DatadirLock:
    """An flock on ``<datadir>/lock``, held until close or the process ends, however it ends.

    A pid file's existence proves nothing after a crash; the kernel's lock does. Raises LocalError: datadir,
    datadir-in-use.
    """

    def __init__(self, datadir: Path) -> None:
        try:
            datadir.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._file = os.open(datadir / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise LocalError("datadir", f"cannot use the datadir {datadir}: {error.strerror}") from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            owner = os.pread(self._file, 32, 0).decode(errors="replace").strip()
            os.close(self._file)
            message = f"another node (process {owner or 'unknown'}) runs in {datadir}; stop it or give --datadir"
            raise LocalError("datadir-in-use", message) from None
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)  # for the message above only

    def close(self) -> None:
        os.close(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
