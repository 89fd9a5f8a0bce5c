"""meshd: read the options, then run the node in the foreground."""

import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

import click

from meshchain import __version__
from meshchain.config import Config, ConfigError, load
from meshchain.config.options import OPTIONS, Option
from meshchain.config.text import effective, example
from meshchain.ledger.errors import LocalError
from meshchain.ledger.params import load as load_params
from meshchain.rpc.client.commandline import SETTINGS, Setting, run
from meshchain.rpc.client.errors import ClientError, WrongUse
from meshrouter.host import capabilities
from meshrouter.host.launcher import Launcher, drop_rights, start_launcher

_GIVES_WAY: Final = 7
"""Nice of a ledger that has a router: a block may come a little later, a packet may not. Where packets fill both cores,
connecting blocks takes a sixth of their rate, and a quarter at nice 0."""
_MOVE_AWAY: Final = (
    "Keep a copy of {datadir}/ledger, then move that folder away: the node begins anew and fetches the ledger"
    " again. Neither the node's key nor a wallet is in it"
)
_ADVICE: Final[Mapping[str, str]] = {
    "in-use": "Another program has {datadir}/ledger open: stop it, or give this node --datadir or --scratch",
    "damaged": _MOVE_AWAY,
    "wrong-version": _MOVE_AWAY,
    "wrong-network": "Give the --network that {datadir} belongs to, or another --datadir",
    "disk-full": "Nothing is lost: make room and start again",
    "io": "Check that {datadir} exists, is yours and can be written",
    "datadir": "Check that it exists, is yours and can be written, or give another --datadir",
    "node-key": "Put the right key back, or move the file away: the node makes a new one, with a new address",
}
"""What to do about a LocalError, by its code; codes whose message says it already are absent."""


class _MeshdCommand(click.Command):
    """The options of the table, then those that only a command line can have."""

    def __init__(self, name: str, **settings: Setting) -> None:
        super().__init__(name, context_settings=SETTINGS, **settings)
        self.params = [*map(_click_option, OPTIONS), *self.params]


def _click_option(option: Option) -> click.Option:
    text = option.help
    if option.many:
        text += " Repeatable."
    note = option.default_note or (option.default(load_params("mesh")) if option.default else "")
    if option.environment:
        note += f"; env: {option.environment}"
    return click.Option(
        [f"--{option.name}", option.name.replace("-", "_")],
        metavar=option.metavar, multiple=option.many, help=f"{text}  [default: {note}]",
    )  # fmt: skip


@click.command(cls=_MeshdCommand, name="meshd")
@click.option("--config", "file", metavar="FILE", type=click.Path(path_type=Path), help="Options in TOML.")
@click.option("--scratch", is_flag=True, help="Temporary datadir, free ports, no TUN: several just work.")
@click.option("--check-config", is_flag=True, help="Print the effective configuration or every error, and exit.")
@click.option("--example-config", is_flag=True, help="Print a commented configuration file, and exit.")
@click.version_option(__version__)
def meshd(file: Path | None, scratch: bool, check_config: bool, example_config: bool, **options: Setting) -> int:
    """Run a node of the mesh in the foreground; it logs to stderr and stops cleanly on SIGTERM and Ctrl-C.

    Options come from the command line, the environment, the --config FILE, the defaults, in this order.
    """
    if example_config:
        click.echo(example(load_params("mesh")), nl=False)
        return 0
    given = {name.replace("_", "-"): _texts(value) for name, value in options.items() if value not in (None, ())}
    if scratch and "datadir" in given:
        raise WrongUse("usage", "--scratch makes a datadir of its own: it cannot stand with --datadir")
    with _configured(given, file, scratch=scratch) as config:
        if check_config:
            click.echo(effective(config), nl=False)
            return 0
        return _run_node(config)


def _texts(value: str | Sequence[str]) -> Sequence[str]:
    return [value] if isinstance(value, str) else value


@contextmanager
def _configured(given: Mapping[str, Sequence[str]], file: Path | None, *, scratch: bool) -> Iterator[Config]:
    from meshchain.cli.scratch import scratch_values

    with scratch_values() if scratch else nullcontext() as values:
        try:
            config = load(given, os.environ, file, scratch=values)
        except ConfigError as error:
            raise WrongUse(error.code, error.message, problems=list(error.problems)) from None
        yield config


def _run_node(config: Config) -> int:
    from meshchain.cli.scratch import exports

    if config.scratch:
        click.echo(exports(config))
        sys.stdout.flush()
    try:
        with _launched(config) as launcher:
            from meshchain.node import run as run_node  # half of a node's start, while its router does the same

            return run_node(config, launcher)
    except* (LocalError, OSError) as group:
        failure = _first(group)  # what is raised in here would itself be wrapped in a group
    raise _explained(failure, config)


@contextmanager
def _launched(config: Config) -> Iterator[Launcher | None]:
    """What starts routers; None for a node without links and TUN. Forked before there are threads, and locks that it
    would hold on to; and while we are small. This process keeps no rights, but that to a port of its own below 1024."""
    if config.tun is None and config.links == ():
        yield None
        return
    launcher = start_launcher(tun=config.tun is not None)
    os.nice(_GIVES_WAY)
    try:
        drop_rights([capabilities.NET_BIND_SERVICE] if config.low_ports else [])
        yield launcher
    finally:
        launcher.close()


def _first(group: BaseExceptionGroup[Exception]) -> Exception:
    """What ended the node: nurseries wrap it, and wrap it again."""
    inner = group.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner


def _explained(error: Exception, config: Config) -> ClientError:
    code, message = (error.code, error.message) if isinstance(error, LocalError) else ("io", str(error))
    advice = _ADVICE.get(code)
    return ClientError(code, f"{message}. {advice.format(datadir=config.datadir)}." if advice else message)


def _stop_early(_signal: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(0)


def main() -> None:
    signal.signal(signal.SIGTERM, _stop_early)  # until the node listens for it; a scratch datadir is removed
    sys.exit(run(meshd))


if __name__ == "__main__":
    main()
