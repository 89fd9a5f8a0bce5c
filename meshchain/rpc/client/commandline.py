"""What meshctl and meshwallet have in common: the options, how commands are found, how a command ends.

Exit codes: 0 done, 1 the node refused or the thing is absent, 2 node not reachable or timed out, 3 wrong use,
4 wallet (the wallet's errors bring it along); 130 after Ctrl-C, 141 when the reader of our output has gone,
as if the signals' default had been kept.

A command is a function that takes the ``Session`` first, prints by ``Session.emit`` and raises ClientError;
it may return an exit code of its own.
"""

import contextlib
import io
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import click

from meshchain.rpc.client.errors import ClientError, WrongUse
from meshchain.rpc.client.session import OutputError, flush_stdout, leave_stdout, printable
from meshchain.rpc.client.session import Session as Session

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

Setting: TypeAlias = Any
"""What click's constructors take; click types it no further."""

INTERRUPTED: Final = 130
BROKEN_PIPE: Final = 141
SETTINGS: Final[dict[str, Setting]] = {"help_option_names": ["-h", "--help"], "max_content_width": 100}

pass_session = click.make_pass_decorator(Session, ensure=True)


class _CommonOption(click.Option):
    """Sets an attribute of the session; an option after the subcommand wins over one before it, both over the
    environment."""

    def __init__(self, attribute: str, *names: str, **settings: Setting) -> None:
        super().__init__([*names, f"_{attribute}"], expose_value=False, callback=self._store, **settings)
        self.attribute = attribute

    def _store(self, context: click.Context, _parameter: click.Parameter, value: Setting) -> None:
        session = context.ensure_object(Session)
        given = context.get_parameter_source(f"_{self.attribute}") is click.core.ParameterSource.COMMANDLINE
        if given or (value is not None and not getattr(session, self.attribute)):
            setattr(session, self.attribute, value)


def _complete_network(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """The bundled networks; the shell's own file names where something else was begun."""
    from click.shell_completion import CompletionItem

    from meshchain.ledger.params import bundled_networks

    found = [CompletionItem(name) for name in bundled_networks() if name.startswith(incomplete)]
    return found or [CompletionItem(incomplete, type="file")]


def common_options() -> list[click.Parameter]:
    return [
        _CommonOption(
            "network_option", "--network", metavar="NAME|FILE.json", envvar="MESH_NETWORK", show_envvar=True,
            help="mesh, test, dev, or a file with a network of one's own.  [default: mesh]",
            shell_complete=_complete_network,
        ),
        _CommonOption(
            "datadir_option", "--datadir", metavar="DIR", envvar="MESH_DATADIR", show_envvar=True,
            type=click.Path(path_type=Path), help="The node's data; a folder per network lies in it.",
        ),
        _CommonOption(
            "rpc_option", "--rpc", metavar="URL", envvar="MESH_RPC", show_envvar=True,
            help="Where the node answers, like http://127.0.0.1:9336.",
        ),
        _CommonOption(
            "cookie_option", "--cookie", metavar="FILE", type=click.Path(path_type=Path),
            help="The node's cookie, if not in its datadir.",
        ),
        _CommonOption("json", "--json", is_flag=True, help="Print one JSON document."),
    ]  # fmt: skip


class Command(click.Command):
    """A command with the common options, ``-h``, and its own first in ``--help``."""

    def __init__(self, *args: Setting, **settings: Setting) -> None:
        settings["context_settings"] = {**SETTINGS, **(settings.get("context_settings") or {})}
        super().__init__(*args, **settings)
        self.params.extend(common_options())


class Group(click.Group):
    """A group with the common options; a mistyped command is answered with the nearest ones."""

    command_class = Command
    group_class = type
    later: Mapping[str, str] = {}
    """Commands whose part is not built yet, and which part that is."""

    def __init__(self, *args: Setting, **settings: Setting) -> None:
        settings["context_settings"] = {**SETTINGS, **(settings.get("context_settings") or {})}
        super().__init__(*args, **settings)
        self.params.extend(common_options())

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args and self.no_args_is_help and not ctx.resilient_parsing:
            click.echo(ctx.get_help(), err=True)
            ctx.exit(WrongUse.exit_code)
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        word = args[0]
        if self.get_command(ctx, word) is None and not word.startswith("-") and not ctx.resilient_parsing:
            if word in self.later:
                raise click.UsageError(f"{word!r} is not built yet: it comes with {self.later[word]}", ctx)
            raise click.UsageError(f"no command {word!r}{self._nearest(ctx, word)}", ctx)
        return super().resolve_command(ctx, args)

    def _nearest(self, ctx: click.Context, word: str) -> str:
        from difflib import get_close_matches

        close = get_close_matches(word, self.list_commands(ctx))
        return f"; did you mean {' or '.join(close)}?" if close else ""


def run(program: click.Command, argv: Sequence[str] | None = None, session: Session | None = None) -> int:
    """Run the program ``program`` and return its exit code; nothing but an error in our own code escapes."""
    args = list(sys.argv[1:] if argv is None else argv)
    session = session or Session()
    _tolerate_any_character()
    try:
        return _invoke(program, args, session)
    except BrokenPipeError:
        _drop_stdout()
        return BROKEN_PIPE
    except OutputError as error:
        print(f"{program.name}: {error}", file=sys.stderr)
        _drop_stdout()
        return ClientError.exit_code
    except (KeyboardInterrupt, click.Abort):
        print(file=sys.stderr)
        return INTERRUPTED
    finally:
        session.close()


def _invoke(program: click.Command, args: list[str], session: Session) -> int:
    try:
        code = _dispatch(program, args, session)
    except ClientError as error:
        code = _report(program, error, as_json=session.json)
    except click.exceptions.Exit as leaving:
        code = leaving.exit_code
    except click.ClickException as error:
        code = _report(program, _wrong_use(error), as_json=session.json or _asks_for_json(args))
    flush_stdout()
    return code


def _dispatch(program: click.Command, args: list[str], session: Session) -> int:
    name = program.name or "mesh"
    variable = f"_{name.upper()}_COMPLETE"
    if instruction := os.environ.get(variable):
        from click.shell_completion import shell_complete

        return shell_complete(program, {}, name, variable, instruction)
    with program.make_context(name, list(args), obj=session) as context:
        result = program.invoke(context)
    return result if isinstance(result, int) else 0


def _wrong_use(error: click.ClickException) -> WrongUse:
    context = error.ctx if isinstance(error, click.UsageError) else None
    help_command = {} if context is None else {"help": f"{context.command_path} --help"}
    return WrongUse("usage", error.format_message(), **help_command)


def _report(program: click.Command, error: ClientError, *, as_json: bool) -> int:
    if as_json:
        print(json.dumps(error.to_document(), indent=2))
    else:
        advice = f"\nTry '{error.data['help']}'." if error.code == "usage" and "help" in error.data else ""
        print(printable(f"{program.name}: {error.message}{advice}"), file=sys.stderr)
    return error.exit_code


def _asks_for_json(args: list[str]) -> bool:
    """Whether ``--json`` stands on a command line that could not be parsed."""
    return "--json" in (args[: args.index("--")] if "--" in args else args)


def _drop_stdout() -> None:
    with contextlib.suppress(OSError, io.UnsupportedOperation):
        leave_stdout()


def _tolerate_any_character() -> None:
    """A terminal that cannot show a character shows its escape instead of a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
