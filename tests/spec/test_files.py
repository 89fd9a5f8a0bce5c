"""The files are what the script writes, byte for byte, and nothing else lies beside them."""

from collections.abc import Callable

import pytest

from docs.spec.making.files import DOCUMENTS, text
from docs.spec.making.values import Document
from tests.spec.reading import VECTORS


@pytest.mark.parametrize(("name", "make"), DOCUMENTS.items())
def test_writing_anew_gives_the_same_bytes(name: str, make: Callable[[], Document]) -> None:
    assert text(make()).encode("ascii") == (VECTORS / name).read_bytes()


def test_every_file_is_made_here() -> None:
    assert {path.name for path in VECTORS.iterdir()} == set(DOCUMENTS)
