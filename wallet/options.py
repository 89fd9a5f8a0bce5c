"""The wallet's commands with their common options; nothing heavy is imported before a command runs."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeAlias, TypeVar

import click

from meshchain.rpc.client.commandline import Command, Group, Session, pass_session

if TYPE_CHECKING:
    from wallet.context import Wallet

_KEY = "wallet.options"
Setting: TypeAlias = Any
"""click types its own parameters; these only pass through."""
P = ParamSpec("P")
R = TypeVar("R")


class _StoredOption(click.Option):
    """Lands in the context's shared store, so it may stand before and after the subcommand."""

    def __init__(self, key: str, *names: str, **settings: Setting) -> None:
        super().__init__([*names, f"_{key}"], expose_value=False, callback=self._store, **settings)
        self.key = key

    def _store(self, context: click.Context, _parameter: click.Parameter, value: Any) -> None:  # noqa: ANN401
        if value not in (None, False):
            context.meta.setdefault(_KEY, {})[self.key] = value


def _passphrase_option() -> click.Option:
    return _StoredOption(
        "passphrase_file", "--passphrase-file", metavar="FILE", type=click.Path(path_type=Path),
        help="Read the wallet's passphrase from FILE (else MESH_WALLET_PASSPHRASE, else a prompt).",
    )  # fmt: skip


class WalletCommand(Command):
    """A command that may open the wallet."""

    def __init__(self, *args: Setting, **settings: Setting) -> None:
        super().__init__(*args, **settings)
        self.params.append(_passphrase_option())


class WritingCommand(WalletCommand):
    """A command that hands operations to the node."""

    def __init__(self, *args: Setting, **settings: Setting) -> None:
        super().__init__(*args, **settings)
        self.params += [
            _StoredOption("wait", "--wait", is_flag=True, help="Wait until it is confirmed, and show how far it is."),
            _StoredOption(
                "timeout", "--timeout", metavar="SECONDS", type=click.FloatRange(min=0),
                help="With --wait: give up watching after this time (exit code 2).",
            ),
        ]  # fmt: skip


class WalletGroup(Group):
    """meshwallet and its sub-groups."""

    command_class = WalletCommand

    def __init__(self, *args: Setting, **settings: Setting) -> None:
        super().__init__(*args, **settings)
        self.params.append(_passphrase_option())


def pass_wallet(command: "Callable[Concatenate[Wallet, P], R]") -> Callable[P, R]:
    """Give the command its ``Wallet`` as first argument."""

    def wrapped(session: Session, /, *args: P.args, **kwargs: P.kwargs) -> R:
        from wallet.context import Options, Wallet

        options = Options(**click.get_current_context().meta.get(_KEY, {}))
        with closing(Wallet(session, options)) as wallet:
            return command(wallet, *args, **kwargs)

    wrapped.__name__, wrapped.__doc__ = command.__name__, command.__doc__
    wrapped.__dict__.update(command.__dict__)
    passed = pass_session(wrapped)
    passed.__wrapped__ = command  # type: ignore[attr-defined]
    return passed
