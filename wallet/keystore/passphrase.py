"""Where a passphrase comes from: ``--passphrase-file``, else MESH_WALLET_PASSPHRASE, else a prompt on a
terminal.

Nothing waits for input when stdin is no terminal: ``ask`` is None there. An empty passphrase means no
protection.
"""

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from meshchain.rpc.client.errors import WrongUse, reason
from wallet.errors import WalletError

VARIABLE: Final = "MESH_WALLET_PASSPHRASE"
_AGAIN: Final = "That does not open this wallet. Its passphrase, once more: "
_PROMPTS: Final = ("Passphrase of the wallet: ", _AGAIN, _AGAIN)
"""When opening: three attempts, as login programs give."""
MAX_SIZE: Final = 4096
"""Bytes of a passphrase file: it is a line, not a key archive."""

Ask: TypeAlias = Callable[[str], str]
"""Shows a prompt on the terminal and returns what was typed, without echo."""


@dataclass(frozen=True, slots=True)
class Passphrase:
    """The sources, in order; ``ask`` is None where stdin is no terminal."""

    file: Path | None
    environment: Mapping[str, str]
    ask: Ask | None

    def given(self) -> str | None:
        """The passphrase of the file or the environment; None if neither is given."""
        if self.file is not None:
            return _read(self.file)
        return self.environment.get(VARIABLE)

    def for_new(self) -> str | None:
        """For a wallet that is being made; None if nothing is given and nobody can be asked."""
        given = self.given()
        if given is not None or self.ask is None:
            return given
        first = self.ask("Passphrase for the new wallet (empty: store it unprotected): ")
        if first and self.ask("The same passphrase again: ") != first:
            raise WalletError("passphrase-mismatch", "the two passphrases differ; nothing was written")
        return first

    def for_open(self, fits: Callable[[str], bool]) -> str:
        """The passphrase for which ``fits`` is true; WalletError wrong-passphrase or passphrase-needed."""
        given = self.given()
        if given is not None:
            return _checked([given], fits)
        if self.ask is None:
            raise WalletError(
                "passphrase-needed",
                f"the wallet is protected and stdin is no terminal: give --passphrase-file FILE or set {VARIABLE}",
            )
        return _checked(map(self.ask, _PROMPTS), fits)


def _checked(candidates: Iterable[str], fits: Callable[[str], bool]) -> str:
    for candidate in candidates:
        if fits(candidate):
            return candidate
    raise WalletError("wrong-passphrase", "the passphrase does not open this wallet")


def _read(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            text = stream.read(MAX_SIZE + 1).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise WrongUse("bad-passphrase-file", f"--passphrase-file {path}: {reason(error)}") from None
    if len(text) > MAX_SIZE:
        raise WrongUse("bad-passphrase-file", f"--passphrase-file {path}: longer than {MAX_SIZE} bytes")
    return text.removesuffix("\n").removesuffix("\r")


def from_terminal(file: Path | None) -> Passphrase:
    """The sources of this process."""
    return Passphrase(file, os.environ, _ask if sys.stdin is not None and sys.stdin.isatty() else None)


def _ask(prompt: str) -> str:
    import click

    return str(click.prompt(prompt, prompt_suffix="", hide_input=True, default="", show_default=False, err=True))
