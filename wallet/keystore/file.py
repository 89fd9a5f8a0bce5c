"""The wallet file on disk: read with bounds, replaced atomically, locked while it is changed.

The file itself is replaced by rename, so the lock lies on a file beside it that is never removed (removing a
lock file lets two processes hold locks on different inodes). flock ends with its process: no stale locks.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from wallet.errors import WalletError
from wallet.keystore.envelope import MAX_FILE

MODE: Final = 0o600


class WalletFile:
    """Bytes at ``path``; every method raises WalletError (wallet-io) with the system's reason."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def exists(self) -> bool:
        return self.path.exists()

    def read(self) -> bytes:
        """At most MAX_FILE + 1 bytes; WalletError (no-wallet) where there is no file."""
        try:
            with self.path.open("rb") as stream:
                return stream.read(MAX_FILE + 1)
        except FileNotFoundError:
            raise WalletError(
                "no-wallet",
                f"there is no wallet at {self.path}. Make one with `meshwallet create` (or `meshwallet"
                " register NAME`), or bring one back with `meshwallet restore`",
                path=str(self.path),
            ) from None
        except OSError as error:
            raise self._failure("cannot be read", error) from None

    def write(self, data: bytes) -> None:
        """Replace the file so that a crash at any moment leaves the old or the new one, mode 600.

        Call it only under ``locked``: the temporary file's name is fixed.
        """
        temporary = self.path.with_name(self.path.name + ".new")
        try:
            _write_synced(temporary, data)
            temporary.replace(self.path)
            _sync_folder(self.path.parent)
        except OSError as error:
            raise self._failure("cannot be written; the old one is untouched", error) from None

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the exclusive lock; waits for another command that holds it."""
        descriptor = self._open_lock()
        try:
            import fcntl  # absent on Windows: an error at the first write there, not at import

            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def is_private(self) -> bool:
        """False if other users may read or write the file."""
        return self.path.stat().st_mode & 0o077 == 0

    def _open_lock(self) -> int:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            return os.open(self.path.with_name(self.path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, MODE)
        except OSError as error:
            raise self._failure("cannot be locked", error) from None

    def _failure(self, what: str, error: OSError) -> WalletError:
        reason = "the disk is full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else error.strerror or str(error)
        return WalletError("wallet-io", f"the wallet {self.path} {what}: {reason}", path=str(self.path))


def _write_synced(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, MODE)
    with open(descriptor, "wb") as stream:
        os.fchmod(descriptor, MODE)  # a leftover of a crash, or a loose umask, decides nothing
        stream.write(data)
        stream.flush()
        os.fsync(descriptor)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
