"""The wallet file: its envelope under any damage, passphrases, its place on disk, commands at once."""

import json
import multiprocessing
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meshchain.rpc.client.errors import WrongUse
from wallet.errors import WalletError
from wallet.keystore import envelope, kdf
from wallet.keystore.envelope import Lock
from wallet.keystore.file import WalletFile
from wallet.keystore.passphrase import Passphrase
from wallet.keystore.payload import MAX_DRAFTS, Note, Payload
from wallet.keystore.store import Keystore

WORDS = "legal winner thank year wave sausage worth useful legal winner thank yellow"
CHEAP = kdf.Cost(kdf.MIN_N)
LOCK = Lock(CHEAP, b"s" * 16)
KEY = LOCK.key("secret")
PLAIN = Payload(WORDS, 3, {"alice": Note([b"\1\2"])}).encode()
SEALED = envelope.seal(PLAIN, LOCK, KEY, b"n" * 12)
UNPROTECTED = envelope.seal(PLAIN, None, None, b"n" * 12)


def _keystore(path: Path, *answers: str, file: Path | None = None, variable: str | None = None) -> Keystore:
    """``answers``: what the user types; none means that stdin is no terminal."""
    typed = iter(answers)
    environment = {} if variable is None else {"MESH_WALLET_PASSPHRASE": variable}
    ask: Callable[[str], str] | None = (lambda _prompt: next(typed)) if answers else None
    return Keystore(path, Passphrase(file, environment, ask), os.urandom)


def _create(store: Keystore) -> bool:
    return store.create(WORDS, lambda: CHEAP)


def _code(action: Callable[[], object]) -> str:
    with pytest.raises(WalletError) as caught:
        action()
    return caught.value.code


# --- envelope


def test_both_protections_give_the_payload_back() -> None:
    assert envelope.parse(SEALED).open(KEY) == PLAIN
    assert envelope.parse(UNPROTECTED).open(None) == PLAIN
    assert WORDS.encode().hex().encode() not in SEALED


@pytest.mark.parametrize("whole", [SEALED, UNPROTECTED], ids=["sealed", "unprotected"])
def test_every_truncation_is_called_damage(whole: bytes) -> None:
    for size in range(len(whole) - 1):  # the last byte is a newline
        assert _code(lambda size=size: envelope.parse(whole[:size])) == "wallet-damaged"  # type: ignore[misc]


@pytest.mark.parametrize("whole", [SEALED, UNPROTECTED], ids=["sealed", "unprotected"])
def test_no_flipped_bit_passes(whole: bytes) -> None:
    for at in range(len(whole) - 1):
        for bit in range(8):
            flipped = whole[:at] + bytes((whole[at] ^ 1 << bit,)) + whole[at + 1 :]
            code = _code(lambda flipped=flipped: envelope.parse(flipped))  # type: ignore[misc]
            assert code in ("wallet-damaged", "wallet-format", "wallet-version")


@given(st.binary(max_size=400))
def test_any_bytes_are_a_typed_error(data: bytes) -> None:
    assert _code(lambda: envelope.parse(data)) in ("wallet-damaged", "wallet-format", "wallet-version")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)


def _is_hexadecimal(value: object) -> bool:
    return isinstance(value, str) and set(value) <= set("0123456789abcdefABCDEF \t\n\r\f\v")


@given(st.sampled_from(sorted(json.loads(SEALED))), _JSON, st.booleans())
def test_any_member_of_any_type_is_a_typed_error(member: str, value: object, sealed: bool) -> None:
    """The checksum is recomputed, as someone who writes hostile files would do."""
    members: dict[str, Any] = json.loads(SEALED if sealed else UNPROTECTED)
    if members.get(member) == value and type(members.get(member)) is type(value):
        return
    members[member] = value
    members.pop("checksum", None)
    members["checksum"] = envelope._checksum(members)
    harmless = member == "checksum" or (member == "payload" and not sealed and _is_hexadecimal(value))
    if not harmless:
        code = _code(lambda: envelope.parse(json.dumps(members).encode()).open(KEY))
        assert code in ("wallet-damaged", "wallet-format", "wallet-version", "wrong-passphrase")


@given(_JSON | st.fixed_dictionaries({"words": st.just(WORDS) | _JSON, "receive": _JSON, "names": _JSON}))
def test_any_content_is_a_typed_error(content: object) -> None:
    data = json.dumps(content).encode()
    if isinstance(content, dict) and content.get("words") == WORDS and _is_content(content):
        assert Payload.decode(Payload.decode(data).encode()) == Payload.decode(data)
    else:
        assert _code(lambda: Payload.decode(data)) == "wallet-damaged"


def _is_content(content: dict[str, Any]) -> bool:
    names, receive = content["names"], content["receive"]
    return type(receive) is int and 0 <= receive < 2**31 and names == {}


@pytest.mark.parametrize(
    "change",
    [
        {"n": 2**40},
        {"r": 2**30},
        {"p": 2**30},
        {"n": 3000},
        {"n": 0},
        {"n": True},
        {"r": "8"},
        {"n": 2**18, "r": 16},
    ],
)
def test_scrypt_parameters_are_bounded_before_memory_is_touched(change: dict[str, object]) -> None:
    assert _code(lambda: kdf.Cost.from_json({"n": 2**15, "r": 8, "p": 1, **change})) == "wallet-damaged"


def test_deep_nesting_and_size_are_damage() -> None:
    assert _code(lambda: envelope.parse(b"[" * 200_000 + b"}")) == "wallet-damaged"
    assert _code(lambda: envelope.parse(b" " * envelope.MAX_FILE + b"{}")) == "wallet-damaged"


def test_a_later_version_says_so_even_where_its_members_differ() -> None:
    with pytest.raises(WalletError, match="version 2; this program reads version 1") as caught:
        envelope.parse(b'{"format": "meshchain-wallet", "version": 2, "new": []}')
    assert caught.value.code == "wallet-version"


def test_the_head_is_authenticated() -> None:
    members = json.loads(SEALED)
    members["kdf"]["salt"] = "00" * 16
    del members["checksum"]
    members["checksum"] = envelope._checksum(members)
    assert _code(lambda: envelope.parse(json.dumps(members).encode()).open(KEY)) == "wrong-passphrase"


def test_the_cost_grows_until_it_takes_a_tenth_of_a_second() -> None:
    """A virtual clock: the first derivation appears to take 0.03 s, or a second."""
    fast, slow = iter((0.0, 0.03)), iter((0.0, 1.0))
    assert kdf.tuned(lambda: next(fast)) == kdf.Cost(2**17)
    assert kdf.tuned(lambda: next(slow)) == kdf.DEFAULT
    zero = iter((0.0, 0.0))
    assert kdf.Cost.from_json(kdf.tuned(lambda: next(zero)).to_json()).n == 2**18


def test_drafts_are_bounded() -> None:
    kept = Payload.decode(Payload(WORDS, 0, {"a": Note([bytes((i,)) for i in range(200)])}).encode())
    assert kept.names["a"].drafts == [bytes((i,)) for i in range(200 - MAX_DRAFTS, 200)]


# --- passphrases


def test_a_typed_passphrase_is_asked_for_twice_and_opens(tmp_path: Path) -> None:
    path = tmp_path / "wallet.json"
    assert _create(_keystore(path, "hunter2", "hunter2"))
    assert _keystore(path, "hunter2").open().words == WORDS
    assert _keystore(path, variable="hunter2").open().words == WORDS


def test_unicode_forms_of_a_passphrase_are_one(tmp_path: Path) -> None:
    path = tmp_path / "wallet.json"
    assert _create(_keystore(path, variable="caf\u00e9"))
    assert _keystore(path, variable="cafe\u0301").open().words == WORDS


def test_differing_passphrases_write_nothing(tmp_path: Path) -> None:
    path = tmp_path / "wallet.json"
    assert _code(lambda: _create(_keystore(path, "one", "two"))) == "passphrase-mismatch"
    assert not path.exists()


def test_an_empty_answer_and_no_terminal_store_it_unprotected(tmp_path: Path) -> None:
    assert not _create(_keystore(tmp_path / "a.json", ""))
    assert not _create(_keystore(tmp_path / "b.json"))
    assert json.loads((tmp_path / "b.json").read_text())["protection"] == "none"
    assert _keystore(tmp_path / "b.json").open().words == WORDS


def test_the_file_wins_over_the_environment(tmp_path: Path) -> None:
    path, secret = tmp_path / "wallet.json", tmp_path / "secret"
    secret.write_bytes(b"from file\r\n")
    assert _create(_keystore(path, file=secret, variable="other"))
    assert _keystore(path, variable="from file").open().words == WORDS


def test_wrong_passphrases(tmp_path: Path) -> None:
    path = tmp_path / "wallet.json"
    _create(_keystore(path, variable="right"))
    assert _code(_keystore(path, variable="wrong").open) == "wrong-passphrase"
    assert _code(_keystore(path, "a", "b", "c", "right").open) == "wrong-passphrase"
    assert _keystore(path, "a", "b", "right").open().words == WORDS
    assert _code(_keystore(path).open) == "passphrase-needed"


@pytest.mark.parametrize("content", [None, b"\xff", b"x" * 5000])
def test_bad_passphrase_files_are_wrong_use(tmp_path: Path, content: bytes | None) -> None:
    secret = tmp_path / "secret"
    if content is not None:
        secret.write_bytes(content)
    with pytest.raises(WrongUse, match=r"--passphrase-file .*secret") as caught:
        _create(_keystore(tmp_path / "wallet.json", file=secret))
    assert (caught.value.code, caught.value.exit_code) == ("bad-passphrase-file", 3)


# --- the file on disk


def test_mode_is_600_whatever_the_umask_and_leftovers(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "wallet.json"
    path.parent.mkdir()
    (path.parent / "wallet.json.new").write_bytes(b"left by a crash")
    (path.parent / "wallet.json.new").chmod(0o666)
    before = os.umask(0)
    try:
        _create(_keystore(path))
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sorted(p.name for p in path.parent.iterdir()) == ["wallet.json", "wallet.json.lock"]
    assert WalletFile(path).is_private()
    path.chmod(0o640)
    assert not WalletFile(path).is_private()


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "wallet.json"
    _create(_keystore(path))
    before = path.read_bytes()
    assert _code(lambda: _create(_keystore(path))) == "wallet-exists"
    assert path.read_bytes() == before


def test_no_wallet_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(WalletError, match=r"no wallet at .*/wallet.json. Make one with `meshwallet create`") as caught:
        _keystore(tmp_path / "wallet.json").open()
    assert caught.value.code == "no-wallet"


def test_a_failed_write_leaves_the_old_wallet(tmp_path: Path) -> None:
    path = tmp_path / "wallet.json"
    store = _keystore(path)
    _create(store)
    (tmp_path / "wallet.json.new").mkdir()  # the temporary file cannot be opened, for root neither
    before = path.read_bytes()
    with pytest.raises(WalletError, match="the old one is untouched") as caught, store.edit() as edit:
        edit.payload.receive = 9
    assert caught.value.code == "wallet-io"
    assert path.read_bytes() == before


def test_an_error_inside_edit_writes_nothing(tmp_path: Path) -> None:
    store = _keystore(tmp_path / "wallet.json")
    _create(store)
    with pytest.raises(ZeroDivisionError), store.edit() as edit:
        edit.payload.receive = 1 // 0
    assert store.open().receive == 0


def test_every_write_takes_a_fresh_nonce(tmp_path: Path) -> None:
    path = tmp_path / "wallet.json"
    store = _keystore(path, variable="x")
    _create(store)
    nonces = {json.loads(path.read_text())["nonce"]}
    for count in range(1, 4):
        with store.edit() as edit:
            edit.payload.receive = count
        nonces.add(json.loads(path.read_text())["nonce"])
    assert len(nonces) == 4
    assert _keystore(path, variable="x").open().receive == 3


def _count_up(path: Path, rounds: int) -> None:
    store = _keystore(path, variable="x")
    for _ in range(rounds):
        with store.edit() as edit:
            edit.payload.receive += 1


def test_commands_at_once_lose_no_update(tmp_path: Path) -> None:
    path = tmp_path / "wallet.json"
    _create(_keystore(path, variable="x"))
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_count_up, args=(path, 10)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert _keystore(path, variable="x").open().receive == 30


@given(st.text(max_size=30), st.text(max_size=30))
@settings(max_examples=25)
def test_only_the_passphrase_opens(right: str, wrong: str) -> None:
    from unicodedata import normalize

    sealed = envelope.parse(envelope.seal(PLAIN, LOCK, LOCK.key(right), b"m" * 12))
    assert sealed.open(LOCK.key(right)) == PLAIN
    if normalize("NFKD", right) != normalize("NFKD", wrong):
        assert _code(lambda: sealed.open(LOCK.key(wrong))) == "wrong-passphrase"
