"""What the common options say: which network, which node, which form of output."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from meshchain.rpc.client import datadir
from meshchain.rpc.client.address import parse_endpoint
from meshchain.rpc.client.errors import Json, WrongUse

if TYPE_CHECKING:
    from meshchain.ledger.params import Params
    from meshchain.rpc.client.connection import Client

DEFAULT_NETWORK = "mesh"


class Session:
    """One invocation of a program; the raw options are set while its command line is parsed."""

    def __init__(self) -> None:
        self.network_option: str | None = None
        self.datadir_option: Path | None = None
        self.rpc_option: str | None = None
        self.cookie_option: Path | None = None
        self.json = False
        self._clients: list[Client] = []

    @cached_property
    def params(self) -> "Params":
        """The network's parameters; WrongUse (bad-network) if it is unknown or its file is at fault."""
        from meshchain.ledger.errors import LocalError
        from meshchain.ledger.params import load

        try:
            return load(self.network_option or DEFAULT_NETWORK)
        except LocalError as error:
            raise WrongUse(error.code, f"--network: {error.message}") from None

    @property
    def network(self) -> str:
        """The network's name, also where ``--network`` named a file."""
        return self.params.name

    @property
    def datadir(self) -> Path:
        """The network's own folder: ``<--datadir or the default>/<network name>``."""
        return datadir.network_datadir(self.datadir_option or datadir.default_datadir(), self.network)

    @property
    def url(self) -> str:
        """Where the node answers: ``--rpc``, else the network's RPC port on this machine."""
        return parse_endpoint(self.rpc_option or f"127.0.0.1:{self.params.ports.rpc}").url

    @property
    def cookie(self) -> Path | None:
        """The cookie file; None for a node on another machine, whose cookie only ``--cookie`` can name."""
        if self.cookie_option is not None:
            return self.cookie_option
        return datadir.cookie_path(self.datadir) if parse_endpoint(self.url).is_loopback else None

    def client(self, *, timeout: float = 60) -> "Client":
        """A client of this session's node; it connects at the first call and is closed with the session."""
        from meshchain.rpc.client.connection import Client

        client = Client(self.url, self.cookie, timeout=timeout, network=self.network_option or DEFAULT_NETWORK)
        self._clients.append(client)
        return client

    def close(self) -> None:
        for client in self._clients:
            client.close()

    def emit(self, document: Json, text: str | Callable[[], str]) -> None:
        """Print the result, once: the document with ``--json``, else the text (built only then)."""
        if self.json:
            _print(json.dumps(document, indent=2))
        else:
            _print(printable(text if isinstance(text, str) else text()))

    def note(self, text: str) -> None:
        """Progress and warnings: a line on stderr, in either form of output."""
        print(printable(text), file=sys.stderr, flush=True)


def printable(text: str) -> str:
    """``text`` with control characters escaped: a stranger's record must not steer the reader's terminal."""
    if text.isprintable():
        return text
    return "".join(c if c == "\n" or c.isprintable() else c.encode("unicode_escape").decode() for c in text)


class OutputError(Exception):
    """What was to be printed cannot be written; the message says why."""


def _print(text: str) -> None:
    """A line on stdout; nothing where the caller has closed it."""
    if text:
        with _writing():
            print(text)


def flush_stdout() -> None:
    if sys.stdout is not None:
        with _writing():
            sys.stdout.flush()


@contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"the output cannot be written: {error.strerror}") from None


def leave_stdout() -> None:
    """Let the interpreter's last flush go nowhere: the reader of our output has gone."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
