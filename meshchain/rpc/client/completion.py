"""The ``completion`` command: prints the script by which a shell completes commands and options."""

import click

from meshchain.rpc.client.commandline import Group, pass_session
from meshchain.rpc.client.session import Session

SHELLS = ("bash", "zsh", "fish")
_HELP = """Print the completion script of a shell.

\b
bash:  echo 'eval "$({program} completion bash)"' >> ~/.bashrc
zsh:   echo 'eval "$({program} completion zsh)"' >> ~/.zshrc
fish:  {program} completion fish > ~/.config/fish/completions/{program}.fish
"""


def add_completion(program: Group) -> None:
    """Give ``program`` its ``completion`` command."""
    name = str(program.name)

    @program.command("completion", help=_HELP.format(program=name), short_help="Print a shell's completion script.")
    @click.argument("shell", type=click.Choice(SHELLS))
    @pass_session
    def completion(session: Session, shell: str) -> None:
        script = completion_script(program, shell)
        session.emit({"shell": shell, "script": script}, script.strip())


def completion_script(program: Group, shell: str) -> str:
    from click.shell_completion import get_completion_class

    complete = get_completion_class(shell)
    if complete is None:
        raise LookupError(shell)
    name = str(program.name)
    return complete(program, {}, name, f"_{name.upper()}_COMPLETE").source()
