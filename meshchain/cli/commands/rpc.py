"""``rpc``: any method of the node, for what has no command of its own."""

import json
import sys
from collections.abc import Sequence
from typing import NoReturn

import click

from meshchain.rpc.client.commandline import Command, pass_session
from meshchain.rpc.client.errors import Json, NodeRefused, WrongUse
from meshchain.rpc.client.session import Session


@click.command(cls=Command, context_settings={"ignore_unknown_options": True})
@click.option("--stdin", "from_stdin", is_flag=True, help="Read one more argument from standard input.")
@click.option("--named", is_flag=True, help="Each of ARGS is NAME=VALUE, a parameter by its name.")
@click.option("--timeout", metavar="SECONDS", type=click.FloatRange(min=0.1), default=60, show_default=True)
@click.argument("method")
@click.argument("arguments", nargs=-1, metavar="[ARGS]...")
@pass_session
def rpc(session: Session, from_stdin: bool, named: bool, timeout: float, method: str, arguments: Sequence[str]) -> None:
    """Call any method of the node.

    Prints the bare result: strings unquoted, all else as JSON. Each argument is read as JSON if it is JSON, else
    as a string: 5 is a number, '"5"' a string. An argument `-` is read from standard input. `meshctl rpc help`
    lists the methods.
    """
    texts = _with_stdin(arguments, extra=from_stdin)
    by_name = dict(map(_name_and_value, texts)) if named else {}
    values = [] if named else [read_argument(text) for text in texts]
    try:
        result = session.client(timeout=timeout).call(method, *values, **by_name)
    except NodeRefused as refused:
        _explain(refused, texts, values)
        raise
    session.emit(result, result if isinstance(result, str) else json.dumps(result, indent=2, ensure_ascii=False))


def _with_stdin(arguments: Sequence[str], *, extra: bool) -> list[str]:
    texts = [*arguments, "-"] if extra else list(arguments)
    if texts.count("-") > 1:
        raise WrongUse("usage", "standard input can be only one argument")
    return [sys.stdin.read().removesuffix("\n") if text == "-" else text for text in texts]


def _name_and_value(text: str) -> tuple[str, Json]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise WrongUse("usage", f"with --named an argument is NAME=VALUE, not {text!r}", help="meshctl rpc --help")
    return name, read_argument(value)


def read_argument(text: str) -> Json:
    """JSON (RFC 8259, hence no NaN) as its value, any other text as itself."""
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return text


def _no_constant(word: str) -> NoReturn:
    raise ValueError(word)


def _explain(refused: NodeRefused, arguments: Sequence[str], values: Sequence[Json]) -> None:
    """A name of digits looks like a number: say how to write it."""
    read = [text for text, value in zip(arguments, values, strict=False) if not isinstance(value, str | list | dict)]
    if refused.code == "bad-params" and read and "type string" in str(refused.data.get("problem")):
        refused.message += f". {read[0]} was read as JSON; the text is written '\"{read[0]}\"'"
