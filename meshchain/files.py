"""Files that are there whole or not at all, whenever the power fails."""

import os
from pathlib import Path


def write_whole(path: Path, data: bytes, mode: int) -> None:
    """Make or replace a file. Nobody whom ``mode`` shuts out can read it, not for a moment. OSError.

    Two writers at a time are not foreseen: what is written first has a fixed name beside ``path``.
    """
    beside = path.with_name(path.name + ".new")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0), mode)
    with open(descriptor, "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(descriptor)
    os.replace(beside, path)
