"""The program without a node: prompts, exit codes, messages, the passphrase's ways, start-up."""

import json
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.wallet.lab import ALICE
from tests.wallet.program import PROGRAM, Ended, environment, meshwallet, on_terminal, process


def _created(folder: Path, **env: str) -> Ended:
    done = meshwallet(folder, "restore", "--offline", *ALICE.split(), **env)
    assert done.code == 0, done
    return done


def _path(folder: Path) -> Path:
    return folder / "dev" / "wallet.json"


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, bytes]:
    """Wallet files: protected (True) and not."""
    files = {}
    for protected in (False, True):
        folder = tmp_path_factory.mktemp("made")
        _created(folder, **({"MESH_WALLET_PASSPHRASE": "secret"} if protected else {}))
        files[protected] = _path(folder).read_bytes()
    return files


def test_help_is_quick_and_loads_nothing_heavy(tmp_path: Path) -> None:
    code = "import sys, wallet.main; print(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {
        "trio",
        "aiohttp",
        "rich",
        "dns",
        "mnemonic",
        "idna",
        "coincurve",
        "cryptography",
        "argon2",
        "meshchain.ledger",
    }
    assert not heavy & set(done.stdout.split())
    started = time.monotonic()
    subprocess.run([sys.executable, *PROGRAM, "--help"], capture_output=True, check=True)
    assert time.monotonic() - started < 3, "ten times the budget of a quiet machine"


@pytest.mark.parametrize(
    "args",
    [
        ("create",),
        ("register", "alice"),
        ("restore",),
        ("words",),
        ("list",),
        ("show", "alice"),
        ("set", "alice", "A", "192.0.2.1"),
        ("unset", "alice", "A"),
        ("host", "add", "alice", "@"),
        ("host", "replace", "alice", "@"),
        ("host", "remove", "alice", "@"),
        ("renew", "--all"),
        ("transfer", "alice", "--new-key"),
        ("revoke", "alice"),
        ("sign", "alice", "hello"),
        ("address",),
    ],
)
@pytest.mark.parametrize("protected", [False, True])
def test_nothing_ever_waits_for_input_without_a_terminal(
    tmp_path: Path, sealed: dict[bool, bytes], args: tuple[str, ...], protected: bool
) -> None:
    """stdin is an empty file, the node is not there: every command ends by itself with a documented code."""
    if args[0] not in ("create", "restore"):
        _path(tmp_path).parent.mkdir()
        _path(tmp_path).write_bytes(sealed[protected])
    done = meshwallet(tmp_path, *args, "--json")
    assert done.code in (0, 2, 3, 4), done
    assert isinstance(json.loads(done.out), dict)


def test_nor_does_a_process_of_its_own(tmp_path: Path) -> None:
    assert process(tmp_path, "create", "--json").code == 0
    assert process(tmp_path, "revoke", "alice", "--json").error == (3, "confirmation-needed")
    assert process(tmp_path, "restore", "--json").error == (3, "words-missing")


def test_create_without_terminal_is_unprotected_and_says_so(tmp_path: Path) -> None:
    done = meshwallet(tmp_path, "create", "--json")
    assert done.document == {"path": str(_path(tmp_path)), "network": "dev", "protected": False}
    assert "stored unprotected (mode 600)" in done.err
    assert stat.S_IMODE(_path(tmp_path).stat().st_mode) == 0o600
    words = meshwallet(tmp_path, "words").out.strip()
    assert words in done.err, "the words were shown at creation"
    assert words not in done.out
    again = meshwallet(tmp_path, "create", "--json")
    assert again.error == (4, "wallet-exists")


def test_words_go_to_stderr_with_json(tmp_path: Path) -> None:
    _created(tmp_path)
    assert meshwallet(tmp_path, "words").out == ALICE + "\n"
    done = meshwallet(tmp_path, "words", "--json")
    assert done.document == {"count": 12}
    assert done.err == ALICE + "\n"


def test_the_passphrase_from_file_and_environment(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hunter2\n")
    done = meshwallet(tmp_path, "create", "--passphrase-file", str(secret), "--json")
    assert done.document["protected"] is True
    assert meshwallet(tmp_path, "--passphrase-file", str(secret), "words").code == 0, "also before the command"
    assert meshwallet(tmp_path, "words", MESH_WALLET_PASSPHRASE="hunter2").code == 0
    assert meshwallet(tmp_path, "words", "--json", MESH_WALLET_PASSPHRASE="hunter3").error == (4, "wrong-passphrase")
    assert meshwallet(tmp_path, "words", "--json").error == (4, "passphrase-needed")
    assert meshwallet(tmp_path, "words", "--passphrase-file", "/no/such", "--json").error == (3, "bad-passphrase-file")


def test_damaged_files_and_later_versions(tmp_path: Path) -> None:
    _created(tmp_path)
    path, whole = _path(tmp_path), _path(tmp_path).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    truncated = meshwallet(tmp_path, "words", "--json")
    assert truncated.error == (4, "wallet-damaged")
    assert "it ends early" in truncated.document["error"]["message"]
    path.write_bytes(whole.replace(b'"version": 1', b'"version": 2'))
    assert meshwallet(tmp_path, "words", "--json").error == (4, "wallet-version")
    path.write_bytes(b'{"format": "something else"}')
    assert meshwallet(tmp_path, "words", "--json").error == (4, "wallet-format")
    path.write_bytes(whole.replace(b"a", b"b", 1) if b"a" in whole else whole)
    assert meshwallet(tmp_path, "words", "--json").code == 4
    path.unlink()
    assert meshwallet(tmp_path, "words", "--json").error == (4, "no-wallet")


def test_restore_reads_words_from_a_pipe_a_file_or_arguments(tmp_path: Path) -> None:
    file = tmp_path / "words.txt"
    file.write_text(ALICE.replace(" ", "\n"))
    ways: list[tuple[tuple[str, ...], str]] = [
        ((), ALICE + "\n"),
        (("--words-file", "-"), ALICE),
        (("--words-file", str(file)), ""),
        (tuple(ALICE.split()), ""),
        ((ALICE,), ""),
    ]
    for number, (args, stdin) in enumerate(ways):
        folder = tmp_path / str(number)
        done = meshwallet(folder, "restore", "--offline", "--json", *args, stdin=stdin)
        assert done.code == 0, (args, done)
        assert meshwallet(folder, "words").out == ALICE + "\n"


def test_restore_errors(tmp_path: Path) -> None:
    assert meshwallet(tmp_path, "restore", "--json").error == (3, "words-missing")
    assert meshwallet(tmp_path, "restore", "--json", "one", "two").error == (4, "words-count")
    assert meshwallet(tmp_path, "restore", "--json", *["abandon"] * 12).error == (4, "words-checksum")
    typo = meshwallet(tmp_path, "restore", "--json", *ALICE.replace("sausage", "sausaje").split())
    assert typo.error == (4, "words-unknown")
    assert "perhaps 'sausage'" in typo.document["error"]["message"]
    assert meshwallet(tmp_path, "restore", "--json", "--words-file", "/no/such").error == (3, "bad-words-file")
    assert not _path(tmp_path).exists()
    _created(tmp_path)
    other = meshwallet(tmp_path, "restore", "--offline", "--json", *(["abandon"] * 11), "about")
    assert other.error == (4, "wallet-exists")
    assert meshwallet(tmp_path, "restore", "--offline", *ALICE.split()).code == 0, "the same words are no error"


def test_restore_without_a_node_keeps_the_wallet(tmp_path: Path) -> None:
    done = meshwallet(tmp_path, "restore", "--json", *ALICE.split())
    assert done.error == (2, "unreachable")
    assert "find its names later with `meshwallet list --rescan`" in done.document["error"]["message"]
    assert meshwallet(tmp_path, "words").out == ALICE + "\n"


def test_an_unreachable_node_names_address_and_cookie_and_makes_no_wallet(tmp_path: Path) -> None:
    done = meshwallet(tmp_path, "register", "alice", "--json")
    assert done.error == (2, "unreachable")
    message = done.document["error"]["message"]
    assert "http://127.0.0.1:9" in message
    assert f"there is no cookie at {tmp_path}/dev/.cookie" in message
    assert not _path(tmp_path).exists()


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (("register", "a_b"), "name-alphabet"),
        (("register", "a-"), "name-edge-hyphen"),
        (("register", "www.alice.mesh"), "name-dot"),
        (("register", "alice", "--claim", "eeee::"), "bad-claim"),
        (("register", "alice", "--claim", "2001:db8::1"), "bad-claim"),
        (("register", "alice", "--claim", "eeee::1", "--no-host"), "claim-without-host"),
        (("set", "alice", "NOPE", "1"), "dns-type"),
        (("set", "alice", "A", "1.2.3"), "dns-value"),
        (("set", "alice", "A", "1.2.3.4", "--ttl", "-1"), "dns-ttl"),
        (("set", "alice", "A", "1.2.3.4", "--label", "a..b"), "dns-label"),
        (("unset", "alice", "MX", "x"), "dns-value"),
        (("host", "add", "alice", "a_b"), "name-alphabet"),
        (("host", "add", "alice", "www", "--claim", "eeee::1"), "bad-claim"),
        (("host", "add", "alice", "www", "{}"), "bad-identity"),
        (("host", "add", "alice", "www", "/no/such/file"), "bad-identity"),
        (("host", "add", "alice", "www", "1", "2", "3", "4"), "bad-identity"),
        (("host", "remove", "alice", "www", "12"), "bad-key"),
        (("transfer", "alice", "02ff"), "bad-key"),
        (("transfer", "alice"), "usage"),
        (("transfer", "alice", "02ff", "--new-key"), "usage"),
        (("renew",), "usage"),
        (("renew", "alice", "--all"), "usage"),
        (("revoke", "alice"), "confirmation-needed"),
        (("frobnicate",), "usage"),
    ],
)
def test_wrong_use_is_found_before_anything_is_asked(tmp_path: Path, args: tuple[str, ...], code: str) -> None:
    """Exit 3 with the rule's own code; neither node nor wallet is needed to say so."""
    assert meshwallet(tmp_path, *args, "--json").error == (3, code)


def test_on_a_terminal_the_passphrase_is_asked_for_twice(tmp_path: Path) -> None:
    asked = [("Passphrase for the new wallet", "hunter2"), ("again", "hunter2")]
    done = on_terminal(tmp_path, ["create", "--json"], asked)
    assert done.code == 0, done
    assert json.loads(done.out)["protected"] is True
    assert "hunter2" not in done.err, "typed without echo"
    opened = on_terminal(
        tmp_path, ["words"], [("Passphrase of the wallet", "wrong"), ("does not open this wallet", "hunter2")]
    )
    assert opened.code == 0, opened
    assert opened.out.strip() in done.err
    asked = [("Passphrase of the wallet", "no"), ("once more", "no"), ("once more", "no")]
    refused = on_terminal(tmp_path, ["words", "--json"], asked)
    assert refused.error == (4, "wrong-passphrase")


def test_on_a_terminal_an_empty_passphrase_and_a_mismatch(tmp_path: Path) -> None:
    mismatch = on_terminal(tmp_path, ["create", "--json"], [("Passphrase for", "one"), ("again", "two")])
    assert mismatch.error == (4, "passphrase-mismatch")
    assert not _path(tmp_path).exists()
    done = on_terminal(tmp_path, ["create", "--json"], [("Passphrase for", "")])
    assert json.loads(done.out)["protected"] is False


def test_on_a_terminal_words_are_asked_for(tmp_path: Path) -> None:
    done = on_terminal(tmp_path, ["restore", "--offline"], [("Seed words", ALICE), ("Passphrase for", "")])
    assert done.code == 0, done
    assert meshwallet(tmp_path, "words").out == ALICE + "\n"


def test_revoke_asks_on_a_terminal(tmp_path: Path) -> None:
    done = on_terminal(tmp_path, ["revoke", "alice", "--json"], [("This cannot be undone", "n")])
    assert done.error == (3, "not-confirmed")


def test_a_wallet_that_others_can_read_is_warned_of(tmp_path: Path) -> None:
    _created(tmp_path)
    assert "chmod 600" not in meshwallet(tmp_path, "words").err
    _path(tmp_path).chmod(0o644)
    assert "other users can read the wallet" in meshwallet(tmp_path, "words").err


def test_addresses_count_up(tmp_path: Path) -> None:
    _created(tmp_path)
    first = meshwallet(tmp_path, "address", "--json").document
    assert first["index"] == 0
    assert meshwallet(tmp_path, "address").out.strip() == first["address"]
    assert meshwallet(tmp_path, "address", "--new", "--json").document["index"] == 1


def test_completion_knows_commands_and_options(tmp_path: Path) -> None:
    env = environment(tmp_path, _MESHWALLET_COMPLETE="bash_complete", COMP_WORDS="meshwallet reg", COMP_CWORD="1")
    done = subprocess.run([sys.executable, *PROGRAM], capture_output=True, text=True, env=env, check=False)
    assert "register" in done.stdout
