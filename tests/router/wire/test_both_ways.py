"""Every format, encoded and decoded: what goes in comes out, and a value has one encoding."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meshrouter.errors import WireError
from tests.router.wire.samples import FORMATS, Format

FEW = settings(max_examples=40)
"""Of 25 formats each; the fuzz target tries millions."""
EACH = pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)


@EACH
@FEW
@given(st.data())
def test_what_is_encoded_decodes_to_the_same(form: Format, data: st.DataObject) -> None:
    value = data.draw(form.values)
    assert form.decode(form.encode(value)) == value


@EACH
@FEW
@given(st.data())
def test_what_is_cut_off_is_noticed(form: Format, data: st.DataObject) -> None:
    """Formats of a fixed or an announced size refuse every beginning; the others never take one for the whole."""
    value = data.draw(form.values)
    encoded = form.encode(value)
    if not encoded:
        return
    cut = encoded[: data.draw(st.integers(0, len(encoded) - 1))]
    try:
        taken = form.decode(cut)
    except WireError:
        return
    assert not form.fixed
    assert taken != value


@EACH
@FEW
@given(st.data())
def test_a_changed_bit_is_refused_or_seen(form: Format, data: st.DataObject) -> None:
    """No bit is without meaning, but in control messages whose type nobody knows and in Ethernet's padding."""
    value = data.draw(form.values)
    changed = bytearray(form.encode(value))
    if not changed:
        return
    at = data.draw(st.integers(0, 8 * len(changed) - 1))
    changed[at // 8] ^= 1 << at % 8
    try:
        taken = form.decode(bytes(changed))
    except WireError:
        return
    assert taken != value


@EACH
@FEW
@given(st.data(), st.binary(max_size=130))
def test_any_bytes(form: Format, data: st.DataObject, content: bytes) -> None:
    """A WireError, or a value; one that came from these bytes encodes to them, padding and unknown types aside."""
    start = data.draw(st.sampled_from((b"", form.encode(data.draw(form.values))[:3])))
    try:
        taken = form.decode(start + content)
    except WireError:
        return
    assert form.decode(form.encode(taken)) == taken
    if form.name not in {"Frame", "CONTROL", "Packet"}:
        assert form.encode(taken) == start + content
