"""The ``restore`` command: where the words come from, what is written, what is looked for."""

import os
import select
import sys
from pathlib import Path
from typing import Final

from meshchain.rpc.client.errors import ClientError, WrongUse, reason
from wallet import creation, words
from wallet import restore as scanning
from wallet.context import Wallet
from wallet.errors import WalletError
from wallet.remote import Registered

PIPE_WAIT: Final = 2.0
"""Seconds that a pipe may be silent: a command without a terminal waits for nobody (--words-file - does)."""
MAX_WORDS: Final = 4096
"""Characters; 24 words take 215 at most."""


def given_words(arguments: tuple[str, ...], file: Path | None) -> str:
    """The words from the command line, ``--words-file``, a prompt or a pipe, checked. WrongUse (words-missing)."""
    if arguments:
        return words.check(" ".join(arguments))
    if file is not None:
        return words.check(_read(file))
    if sys.stdin is not None and sys.stdin.isatty():
        import click

        return words.check(str(click.prompt("Seed words", default="", show_default=False, err=True)))
    piped = _piped()
    if not piped.strip():
        raise WrongUse(
            "words-missing", "no seed words: pipe them in, or give --words-file FILE; stdin is no terminal to ask on"
        )
    return words.check(piped)


def restore(wallet: Wallet, sentence: str, *, offline: bool) -> None:
    """Write the wallet (the same words again are no error), then look for its names and print them."""
    if wallet.keystore.exists():
        _check_same(wallet, sentence)
    else:
        creation.create(wallet, sentence)
    found = [] if offline else _scan(wallet)
    document = {"path": str(wallet.path), "network": wallet.session.network, "names": [entry.name for entry in found]}
    lines = [f"restored {wallet.path}", *(f"  {entry.name}.mesh ({entry.status})" for entry in found)]
    wallet.emit(document, "\n".join([*lines, "" if offline else f"{len(found)} name(s) found"]).rstrip())


def rescan(wallet: Wallet) -> list[Registered]:
    """Find the wallet's names in the ledger and note them; progress goes to stderr."""
    with wallet.keystore.edit() as edit:
        keys = wallet.keys(edit.payload)
        return scanning.rescan(wallet.ledger, keys, edit.payload, lambda seen: _report(wallet, seen))


def _scan(wallet: Wallet) -> list[Registered]:
    try:
        return rescan(wallet)
    except ClientError as error:
        error.message += f". The wallet {wallet.path} is restored; find its names later with `meshwallet list --rescan`"
        raise


def _report(wallet: Wallet, seen: int) -> None:
    if seen % (20 * scanning.PAGE) == 0:
        wallet.note(f"looked at {seen} names")


def _check_same(wallet: Wallet, sentence: str) -> None:
    if wallet.keystore.open().words != sentence:
        raise WalletError(
            "wallet-exists",
            f"there is a wallet with other words at {wallet.path}; it stays as it is. Move it away first, or use"
            " another --datadir",
            path=str(wallet.path),
        )


def _read(file: Path) -> str:
    try:
        if str(file) == "-":
            return sys.stdin.read(MAX_WORDS)
        with file.open(encoding="utf-8") as stream:
            return stream.read(MAX_WORDS)
    except (OSError, UnicodeDecodeError) as error:
        raise WrongUse("bad-words-file", f"--words-file {file}: {reason(error)}") from None


def _piped() -> str:
    """What a pipe or a file on stdin holds; empty if nothing comes within PIPE_WAIT."""
    if sys.stdin is None:
        return ""
    data, descriptor = b"", sys.stdin.fileno()
    while len(data) < MAX_WORDS and select.select([descriptor], [], [], PIPE_WAIT)[0]:
        chunk = os.read(descriptor, MAX_WORDS)
        if not chunk:
            break
        data += chunk
    return data.decode(errors="replace")
