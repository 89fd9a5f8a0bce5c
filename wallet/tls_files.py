"""The folder of a TLS server: its key and certificate, and during a rollover the next ones.

``NAME.mesh.key`` (mode 600) and ``NAME.mesh.crt`` are what the server loads; ``NAME.mesh.next.key`` and ``.crt`` wait
for their turn; ``NAME.mesh.rollover.json`` says how far a rollover is.
"""

import json
import os
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from meshchain.files import write_whole
from meshchain.tls import issue
from wallet.errors import WalletError

LIFETIME: Final = timedelta(days=3650)
"""Dates do not count under usage 3; ten years, for programs that look all the same."""


@dataclass(frozen=True, slots=True)
class Rollover:
    """``since``: Unix time from which two TTLs count; None: the new record is not seen in the chain yet."""

    stage: str
    old: str
    ttl: int
    since: float | None = None


class TlsFolder:
    """The files of ``host`` in ``folder``. WalletError tls-files for what cannot be read or written."""

    def __init__(self, folder: Path, host: str) -> None:
        self.folder = folder
        self.host = host
        self.key = folder / f"{host}.key"
        self.certificate = folder / f"{host}.crt"
        self._next_key = folder / f"{host}.next.key"
        self._next_certificate = folder / f"{host}.next.crt"
        self._state = folder / f"{host}.rollover.json"

    def make(self, now: datetime, *, following: bool = False) -> str:
        """A key and certificate, if there is none yet; the TLSA record's text. ``following``: the next ones."""
        key_file, file = (self._next_key, self._next_certificate) if following else (self.key, self.certificate)
        if key_file.exists() and file.exists():
            return self.record(following=following)
        key = issue.new_key()
        made = issue.server_certificate([self.host], key, now=now, lifetime=LIFETIME)
        _write(key_file, issue.key_pem(key), 0o600)
        _write(file, made.public_bytes(Encoding.PEM), 0o644)
        return _record(key)

    def record(self, *, following: bool = False) -> str:
        """``3 1 1 …`` of the key in the folder."""
        file = self._next_key if following else self.key
        try:
            key = load_pem_private_key(file.read_bytes(), None)
        except (OSError, ValueError, TypeError) as error:
            raise WalletError("tls-files", f"{file} cannot be read as a key: {error}", path=str(file)) from None
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise WalletError("tls-files", f"{file} is no P-256 key", path=str(file))
        return _record(key)

    def switch(self) -> None:
        """The next key and certificate take the places of the old, each at once; after a crash, what is left of it."""
        try:
            for following, current in ((self._next_certificate, self.certificate), (self._next_key, self.key)):
                if following.exists():
                    os.replace(following, current)
        except OSError as error:
            raise WalletError("tls-files", f"cannot put the next key in place: {error}") from None

    def load_rollover(self) -> Rollover | None:
        try:
            return Rollover(**json.loads(self._state.read_bytes()))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError) as error:
            raise WalletError("tls-files", f"{self._state} cannot be read: {error}", path=str(self._state)) from None

    def save_rollover(self, state: Rollover | None) -> None:
        if state is None:
            self._state.unlink(missing_ok=True)
        else:
            _write(self._state, json.dumps(asdict(state)).encode(), 0o644)

    def expires(self) -> datetime:
        try:
            return x509.load_pem_x509_certificate(self.certificate.read_bytes()).not_valid_after_utc
        except (OSError, ValueError) as error:
            raise WalletError("tls-files", f"{self.certificate} cannot be read: {error}") from None


def _record(key: ec.EllipticCurvePrivateKey) -> str:
    return f"3 1 1 {sha256(issue.spki(key)).hexdigest()}"


def _write(path: Path, data: bytes, mode: int) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, data, mode)
    except OSError as error:
        raise WalletError("tls-files", f"cannot write {path}: {error.strerror}", path=str(path)) from None
