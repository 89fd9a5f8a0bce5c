"""One invocation of meshwallet: the session's options, the wallet file, the node, and how to wait."""

import secrets
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from meshchain.rpc.client import datadir
from meshchain.rpc.client.session import Session
from wallet import progress, words
from wallet.derivation import Keyring
from wallet.display import MovingLines, PlainLines
from wallet.keystore import passphrase
from wallet.keystore.payload import Payload
from wallet.keystore.store import Keystore
from wallet.progress import Display, Watch
from wallet.remote import Ledger


@dataclass(slots=True, kw_only=True)
class Options:
    """What the wallet's own common options say; ``timeout`` in seconds."""

    passphrase_file: Path | None = None
    wait: bool = False
    timeout: float | None = None


class Wallet:
    """``pause`` waits that many seconds between two looks at the queue."""

    def __init__(self, session: Session, options: Options, pause: Callable[[float], None] = time.sleep) -> None:
        self.session = session
        self.options = options
        self._pause = pause
        self._closing = ExitStack()

    @property
    def path(self) -> Path:
        return datadir.wallet_path(self.session.datadir)

    @cached_property
    def keystore(self) -> Keystore:
        sources = passphrase.from_terminal(self.options.passphrase_file)
        store = Keystore(self.path, sources, secrets.token_bytes)
        if store.exists() and not store.file.is_private():
            self.warn(f"other users can read the wallet {self.path}; `chmod 600` it")
        return store

    @cached_property
    def ledger(self) -> Ledger:
        client = self.session.client()
        self._closing.callback(client.close)
        return Ledger(client, self.session.params)

    def close(self) -> None:
        """End the connection to the node, if there is one."""
        self._closing.close()

    def keys(self, payload: Payload) -> Keyring:
        return Keyring(words.seed(payload.words))

    def note(self, text: str) -> None:
        """A line for people, on stderr."""
        self.session.note(text)

    def warn(self, text: str) -> None:
        self.note(f"warning: {text}")

    def emit(self, document: dict[str, Any], text: str) -> None:
        """The command's result, once, on stdout."""
        self.session.emit(document, text)

    def follow(self, txids: Sequence[str], name: str) -> int:
        """Wait for the operations as ``--wait`` asks; the last one's confirmations."""
        watch = Watch(
            queue=self.ledger.queue,
            known=lambda txid: self.ledger.in_history(name, txid),
            clock=time.monotonic,
            pause=self._pause,
            display=_display(),
            timeout=self.options.timeout,
        )
        try:
            return progress.follow(watch, txids)
        except KeyboardInterrupt:
            self.note(f"the node goes on by itself; `meshwallet show {name}` says how far it is")
            raise


def _display() -> Display:
    return MovingLines(sys.stderr) if sys.stderr.isatty() else PlainLines(sys.stderr, time.monotonic)
