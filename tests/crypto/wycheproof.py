"""Wycheproof's files (github.com/C2SP/wycheproof), read from $MESH_TEST_VECTORS."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

_BESIDE_PROJECT = Path(__file__).parents[3] / "shared" / "vectors"


@dataclass(frozen=True)
class Case:
    """One test: its group's fields and its own, all as in the file (byte strings in hex)."""

    group: dict[str, Any]
    test: dict[str, Any]

    def __getattr__(self, name: str) -> bytes:
        return bytes.fromhex(self.test[name])

    @property
    def valid(self) -> bool:
        return bool(self.test["result"] == "valid")

    @property
    def flags(self) -> frozenset[str]:
        return frozenset(self.test["flags"])

    def __str__(self) -> str:
        return f"{self.test['tcId']} {self.test['comment']!r} {self.test['flags']} {self.test['result']}"


def cases(name: str) -> list[Case]:
    """All tests of a file, at least as many as it says it has; skips where the folder is absent."""
    path = Path(os.environ.get("MESH_TEST_VECTORS", _BESIDE_PROJECT)) / "wycheproof" / f"{name}.json"
    if not path.exists():
        pytest.skip(f"no test vectors at {path}; MESH_TEST_VECTORS names their folder")
    document = json.loads(path.read_text())
    found = list(_cases(document))
    assert len(found) == document["numberOfTests"] > 0
    return found


def _cases(document: dict[str, Any]) -> Iterator[Case]:
    for group in document["testGroups"]:
        for test in group["tests"]:
            yield Case(group, test)
