import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshchain.ledger.names import check_name
from meshchain.rpc.client import idn
from meshchain.rpc.client.errors import WrongUse


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("alice", "alice"),
        ("Alice.MESH", "alice"),
        (" alice.mesh. ", "alice"),
        ("bücher", "xn--bcher-kva"),
        ("BÜCHER.mesh", "xn--bcher-kva"),
        ("xn--bcher-kva.mesh", "xn--bcher-kva"),
        ("bücher。mesh", "xn--bcher-kva"),  # U+3002, which Japanese keyboards type for a dot
        ("x" * 63, "x" * 63),
    ],
)
def test_names_people_type(text: str, name: str) -> None:
    assert idn.parse(text) == idn.Name(name)
    assert idn.parse(text).shown == name + ".mesh"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "name-length"),
        (".mesh", "name-length"),
        ("x" * 64, "name-length"),
        ("a_b", "name-alphabet"),
        ("a b", "name-alphabet"),
        ("-a", "name-edge-hyphen"),
        ("a-.mesh", "name-edge-hyphen"),
        ("ab--c", "name-double-hyphen"),
        ("www.alice.mesh", "name-dot"),
        ("alice.mesh.mesh", "name-dot"),
        ("xn--a", "name-idna"),
        ("xn--bcher-", "name-edge-hyphen"),
        ("☃", "name-idna"),
        ("ü" * 63, "name-idna"),
    ],
)
def test_each_rule_has_its_code(text: str, code: str) -> None:
    with pytest.raises(WrongUse) as caught:
        idn.parse(text)
    assert (caught.value.code, caught.value.exit_code) == (code, 3)


def test_look_alikes_are_warned_of() -> None:
    assert "looks like 'apache'" in idn.parse("араⅽһе".replace("ⅽ", "с")).warnings[0]
    assert "mixes scripts (CYRILLIC, LATIN)" in idn.parse("pаypal").warnings[0]
    assert idn.parse("привет").warnings == ()
    assert idn.parse("日本の名前").warnings == ()


@given(st.text(max_size=70))
def test_any_text_is_a_name_or_wrong_use(text: str) -> None:
    try:
        name = idn.parse(text).ledger
    except WrongUse:
        return
    check_name(name)
    assert idn.parse(name).ledger == name


@given(st.binary(max_size=40))
def test_any_punycode_is_a_name_or_wrong_use(raw: bytes) -> None:
    try:
        name = idn.parse("xn--" + raw.hex()).ledger
    except WrongUse:
        return
    assert name == "xn--" + raw.hex()
