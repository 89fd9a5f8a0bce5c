import json
import os
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wallet import words
from wallet.errors import WalletError

VECTORS: Final = Path(os.environ.get("MESH_TEST_VECTORS") or Path(__file__).parents[3] / "shared" / "vectors")
SENTENCE: Final = "legal winner thank year wave sausage worth useful legal winner thank yellow"


def _bip39() -> list[list[str]]:
    path = VECTORS / "bip39" / "vectors.json"
    return list(json.loads(path.read_text())["english"]) if path.exists() else []


@pytest.mark.skipif(not _bip39(), reason=f"no BIP39 vectors under {VECTORS} (set MESH_TEST_VECTORS)")
def test_bip39_vectors() -> None:
    from mnemonic import Mnemonic

    assert len(_bip39()) == 24
    for entropy, sentence, seed, _xprv in _bip39():
        assert words.from_entropy(bytes.fromhex(entropy)) == sentence
        assert words.check(sentence) == sentence
        # the vectors' passphrase is TREZOR, ours is always empty: their seeds go through the library itself
        assert bytes(Mnemonic.to_seed(sentence, "TREZOR")).hex() == seed


def test_seed_has_the_empty_passphrase() -> None:
    """The value that any BIP39 program gives for this sentence without a passphrase."""
    expected = (
        "878386efb78845b3355bd15ea4d39ef97d179cb712b77d5c12b6be415fffeffe"
        "5f377ba02bf3f8544ab800b955e51fbff09828f682052a20faa6addbbddfb096"
    )
    assert words.seed(SENTENCE).hex() == expected


def test_spacing_and_case_do_not_matter() -> None:
    assert words.check("  " + SENTENCE.upper().replace(" ", "\n\t ") + "\n") == SENTENCE


def test_a_typo_names_the_word_and_the_nearest_one() -> None:
    with pytest.raises(WalletError, match=r"word 6 'sausaje' \(perhaps 'sausage'\?\)") as caught:
        words.check(SENTENCE.replace("sausage", "sausaje"))
    assert (caught.value.code, caught.value.data, caught.value.exit_code) == (
        "words-unknown",
        {"positions": [6]},
        4,
    )


def test_swapped_words_fail_the_checksum() -> None:
    with pytest.raises(WalletError) as caught:
        words.check("winner legal " + SENTENCE.split(" ", 2)[2])
    assert caught.value.code == "words-checksum"


def test_a_missing_word_says_how_many_there_are() -> None:
    with pytest.raises(WalletError, match="12, 15, 18, 21 or 24; these are 11") as caught:
        words.check(SENTENCE.rsplit(" ", 1)[0])
    assert caught.value.code == "words-count"


@given(st.binary(min_size=16, max_size=16))
def test_entropy_makes_twelve_words_that_check(entropy: bytes) -> None:
    sentence = words.from_entropy(entropy)
    assert len(sentence.split()) == 12
    assert words.check(sentence) == sentence


@given(st.text(max_size=200))
def test_random_text_is_a_typed_error(text: str) -> None:
    with pytest.raises(WalletError) as caught:
        words.check(text)
    assert caught.value.code in ("words-count", "words-unknown", "words-checksum")


@settings(max_examples=10)
@given(st.lists(st.text("abcdefghijklmnopqrstuvwxyz\u0301é", min_size=1, max_size=40), min_size=12, max_size=12))
def test_twelve_unknown_words_are_a_typed_error(sentence: list[str]) -> None:
    with pytest.raises(WalletError):
        words.check(" ".join(sentence))
