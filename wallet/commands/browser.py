from pathlib import Path

import click

from meshchain.rpc.client.commandline import Group, Session, pass_session

_root = click.option(
    "--root",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("/"),
    help="Work on the machine whose files lie in DIR.  [default: /]",
)


@click.group(cls=Group)
def browser() -> None:
    """Let Chromium and Firefox show .mesh over HTTPS."""


@browser.command("install")
@click.option("--proxy", metavar="HOST:PORT", default="127.0.0.1:8336", show_default=True, help="meshd's --proxy.")
@_root
@pass_session
def install(session: Session, proxy: str, root: Path) -> None:
    """Write the policy files, and prove them by a real fetch.

    Browsers then go to .mesh through meshd's proxy, and trust this computer's own authority for .mesh and nothing
    else. Needs root, since policies hold for all users of the machine.
    """
    from meshchain.config.values import peer_address
    from wallet.browser import installing

    try:
        address = peer_address(proxy)
    except ValueError as error:
        raise click.BadParameter(f"{proxy!r}: {error}") from None
    installing.install(session, installing.Machine(root), address)


@browser.command("status")
@_root
@pass_session
def status(session: Session, root: Path) -> int:
    """Say what is installed, and prove it by a real fetch.

    Exits 1 unless all of it is in place.
    """
    from wallet.browser import installing

    return installing.status(session, installing.Machine(root))


@browser.command("uninstall")
@_root
@pass_session
def uninstall(session: Session, root: Path) -> None:
    """Remove what install wrote.

    Policies of others stay as they are.
    """
    from wallet.browser import installing

    installing.uninstall(session, installing.Machine(root))
