"""A wallet as commands use it: create, open, and change it under the lock.

The passphrase is asked for before the lock is taken, so that a forgotten prompt blocks nobody. ``edit`` reads
the file again under the lock, so two commands at once never lose each other's changes.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from wallet.errors import WalletError
from wallet.keystore import envelope, kdf
from wallet.keystore.envelope import Envelope, Lock
from wallet.keystore.file import WalletFile
from wallet.keystore.passphrase import Passphrase
from wallet.keystore.payload import Payload

Random = Callable[[int], bytes]


class Edit:
    """An open wallet that may be changed and saved, as often as needed."""

    def __init__(self, payload: Payload, write: Callable[[Payload], None]) -> None:
        self.payload = payload
        self._write = write
        self._saved = payload.encode()

    def save(self) -> None:
        """Write the wallet now, if it was changed."""
        encoded = self.payload.encode()
        if encoded != self._saved:
            self._write(self.payload)
            self._saved = encoded


class Keystore:
    """The wallet at ``path``. ``random`` returns that many secret random bytes."""

    def __init__(self, path: Path, passphrase: Passphrase, random: Random) -> None:
        self.file = WalletFile(path)
        self._passphrase = passphrase
        self._random = random
        self._keys: dict[Lock, bytes] = {}

    def exists(self) -> bool:
        return self.file.exists()

    def create(self, words: str, choose_cost: Callable[[], kdf.Cost]) -> bool:
        """Write a new wallet around ``words``; True if it is protected.

        WalletError (wallet-exists) if there is one: nothing is ever overwritten.
        """
        if self.exists():
            raise self._exists()
        passphrase = self._passphrase.for_new()
        lock = Lock(choose_cost(), self._random(kdf.SALT_SIZE)) if passphrase else None
        if lock is not None and passphrase:
            self._keys[lock] = lock.key(passphrase)
        with self.file.locked():
            if self.exists():  # another command was faster
                raise self._exists()
            self._write(Payload(words), lock)
        return lock is not None

    def open(self) -> Payload:
        """The wallet as it is now; read-only for the caller."""
        return self._open(self._read())

    @contextmanager
    def edit(self) -> Iterator[Edit]:
        """The wallet under the exclusive lock; what was changed since its last ``save`` is written at the
        end, unless an error passes."""
        self.open()  # asks for the passphrase before the lock is taken
        with self.file.locked():
            current = self._read()
            edit = Edit(self._open(current), lambda payload: self._write(payload, current.lock))
            yield edit
            edit.save()

    def _read(self) -> Envelope:
        try:
            return envelope.parse(self.file.read())
        except WalletError as error:
            error.data.setdefault("path", str(self.file.path))
            raise

    def _open(self, sealed: Envelope) -> Payload:
        return Payload.decode(sealed.open(None if sealed.lock is None else self._key(sealed, sealed.lock)))

    def _key(self, sealed: Envelope, lock: Lock) -> bytes:
        if lock not in self._keys:
            self._passphrase.for_open(lambda candidate: self._fits(sealed, lock, candidate))
        return self._keys[lock]

    def _fits(self, sealed: Envelope, lock: Lock, candidate: str) -> bool:
        key = lock.key(candidate)
        try:
            sealed.open(key)
        except WalletError:
            return False
        self._keys[lock] = key
        return True

    def _write(self, payload: Payload, lock: Lock | None) -> None:
        key = None if lock is None else self._keys[lock]
        self.file.write(envelope.seal(payload.encode(), lock, key, self._random(envelope.NONCE_SIZE)))

    def _exists(self) -> WalletError:
        path = str(self.file.path)
        return WalletError("wallet-exists", f"there is a wallet at {path} already; it stays as it is", path=path)
