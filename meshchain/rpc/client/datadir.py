"""Where things lie on disk: ``<datadir>/<network name>/`` holds a node's files and its user's wallet."""

from pathlib import Path
from typing import Final

COOKIE_NAME: Final = ".cookie"
"""``__cookie__:<secret>``, written by the node at every start, mode 600."""
WALLET_NAME: Final = "wallet.json"


def default_datadir() -> Path:
    """The platform's folder for a user's data of this program, e.g. ~/.local/share/meshchain."""
    from platformdirs import user_data_path  # a tenth of --help's budget, and not needed by it

    return user_data_path("meshchain", appauthor=False)


def network_datadir(datadir: Path, network_name: str) -> Path:
    """The folder of one network; ``network_name`` as in its parameters (mesh, test, dev, one's own)."""
    return datadir / network_name


def cookie_path(network_folder: Path) -> Path:
    return network_folder / COOKIE_NAME


def wallet_path(network_folder: Path) -> Path:
    return network_folder / WALLET_NAME
