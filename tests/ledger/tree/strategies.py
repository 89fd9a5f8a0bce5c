"""Keys that collide late, so that small trees have deep chains, splits and collapses."""

from hypothesis import strategies as st

from tests.ledger.tree.states import flipped


def _family() -> list[bytes]:
    """40 keys: eight founders, and of each the variants that first differ from it at bit 3, 17, 128, 255."""
    heads = (0x00, 0x01, 0x3F, 0x40, 0x80, 0x81, 0xFE, 0xFF)
    founders = [bytes([head]) + bytes([head ^ 0x5A]) * 31 for head in heads]
    return founders + [flipped(founder, bit) for founder in founders for bit in (3, 17, 128, 255)]


close_keys = st.sampled_from(_family())
keys = st.one_of(close_keys, st.binary(min_size=32, max_size=32))
entries = st.sampled_from([bytes([fill]) * 32 for fill in range(4)])
"""Few values, so that a change often sets what is already so."""

leaves = st.dictionaries(keys, entries, max_size=24)
changes = st.dictionaries(close_keys, st.one_of(st.none(), entries), max_size=12)
