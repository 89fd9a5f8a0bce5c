"""wallet.json."""

from typing import Any

import pytest

from tests.spec.reading import load, raw
from wallet import words
from wallet.derivation import Keyring


@pytest.mark.parametrize("case", load("wallet.json")["wallets"], ids=lambda case: case["words"][:20])
def test_derivation(case: dict[str, Any]) -> None:
    assert words.check(case["words"]) == case["words"]
    assert words.seed(case["words"]) == raw(case["seed"])
    ring = Keyring(raw(case["seed"]))
    for owner in case["owners"]:
        name = owner["name"]
        assert (ring.owner_private(name), ring.owner(name)) == (raw(owner["private"]), raw(owner["public"]))
        assert ring.salt(name) == raw(owner["salt"])
    for key in case["receiving"]:
        index = key["index"]
        assert (ring.receive_private(index), ring.receive(index)) == (raw(key["private"]), raw(key["public"]))
