"""What is to be written, and writing and removing it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

MARK: Final = "# Written by `meshctl dns setup`; `meshctl dns setup --undo` removes it.\n"
ZONES: Final = ("mesh", "e.e.e.e.ip6.arpa")


class SetupError(Exception):
    """``code``: setup-foreign (a file of somebody else is in the way), setup-write."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Server:
    """Where this node's DNS server listens, and the DS rdata of its zones as text: "tag 13 2 digest"."""

    host: str
    port: int
    ds: Sequence[str]

    def anchors(self) -> list[tuple[str, str]]:
        """(zone, DS)."""
        return list(zip(ZONES, self.ds, strict=True))


@dataclass(frozen=True, slots=True)
class Plan:
    """``files``: absolute path → text without the mark; ``after``: the command that makes them count."""

    files: Sequence[tuple[PurePosixPath, str]]
    after: str


def apply(plan: Plan, root: Path) -> list[Path]:
    """Write the files below ``root``; all of them or, where one is not ours, none. SetupError."""
    places = [(root / path.relative_to("/"), text) for path, text in plan.files]
    for path, _ in places:
        _check_ours(path)
    try:
        for path, text in places:
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary = path.with_name(f".{path.name}.new")
            temporary.write_text(MARK + text, encoding="utf-8")
            temporary.replace(path)
    except OSError as error:
        raise SetupError("setup-write", f"cannot write {error.filename}: {error.strerror}; run this as root") from None
    return [path for path, _ in places]


def undo(plan: Plan, root: Path) -> list[Path]:
    """Remove what ``apply`` wrote; what was there to remove. SetupError."""
    places = [root / path.relative_to("/") for path, _ in plan.files]
    there = [path for path in places if path.exists()]
    for path in there:
        _check_ours(path)
    try:
        for path in there:
            path.unlink()
    except OSError as error:
        raise SetupError("setup-write", f"cannot remove {error.filename}: {error.strerror}; run this as root") from None
    return there


def _check_ours(path: Path) -> None:
    try:
        if path.exists() and not path.read_text(encoding="utf-8", errors="replace").startswith(MARK):
            raise SetupError("setup-foreign", f"{path} is there already and was not written by this command: move it")
    except OSError as error:
        raise SetupError("setup-write", f"cannot read {path}: {error.strerror}") from None
