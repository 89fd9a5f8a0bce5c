"""Options before and after the command, the environment, the two forms of output, and how commands end."""

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from meshchain.rpc.client import NodeRefused
from meshchain.rpc.client.commandline import Group, pass_session, run
from meshchain.rpc.client.completion import SHELLS, add_completion
from meshchain.rpc.client.session import Session
from tests.rpc_client.conftest import RawNode


@click.group(name="meshprog", cls=Group)
def program() -> None:
    """A program made of the shared parts."""


@program.command()
@pass_session
def where(session: Session) -> None:
    cookie = None if session.cookie is None else str(session.cookie)
    document = {"network": session.network, "datadir": str(session.datadir), "url": session.url, "cookie": cookie}
    session.emit(document, lambda: f"{session.network} \x1b[31m\n{session.url}")


@program.command()
@click.argument("method")
@pass_session
def call(session: Session, method: str) -> int:
    session.note("calling")
    session.emit(session.client().call(method), "called")
    return 0


@program.command()
@click.argument("how")
def fail(how: str) -> int:
    if how == "interrupt":
        raise KeyboardInterrupt
    if how == "pipe":
        raise BrokenPipeError
    if how == "refused":
        raise NodeRefused("name-not-found", "no \x1b such name", name="alice")
    return int(how)


@program.group("deep")
def deep() -> None:
    """A group inside."""


@deep.command("down")
@pass_session
def down(session: Session) -> None:
    session.emit({"network": session.network}, session.network)


add_completion(program)


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("MESH_NETWORK", "MESH_RPC"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MESH_DATADIR", str(tmp_path))


def document(capsys: pytest.CaptureFixture[str], *argv: str) -> dict[str, str]:
    assert run(program, argv) == 0
    read: dict[str, str] = json.loads(capsys.readouterr().out)
    return read


def test_defaults(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert document(capsys, "where", "--json") == {
        "network": "mesh",
        "datadir": str(tmp_path / "mesh"),
        "url": "http://127.0.0.1:9336/",
        "cookie": str(tmp_path / "mesh" / ".cookie"),
    }


@pytest.mark.parametrize(
    "argv",
    [
        ["--network", "dev", "--json", "where"],
        ["where", "--network", "dev", "--json"],
        ["--json", "where", "--network=dev"],
        ["--network", "test", "where", "--network", "dev", "--json"],
    ],
)
def test_common_options_stand_anywhere_and_the_later_wins(capsys: pytest.CaptureFixture[str], argv: list[str]) -> None:
    assert document(capsys, *argv)["url"] == "http://127.0.0.1:29336/"


def test_the_environment_gives_way_to_options(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MESH_NETWORK", "test")
    monkeypatch.setenv("MESH_RPC", "http://127.0.0.1:7")
    shown = document(capsys, "where", "--json")
    assert (shown["network"], shown["url"]) == ("test", "http://127.0.0.1:7/")
    shown = document(capsys, "--network", "dev", "where", "--json", "--rpc", "localhost:8")
    assert (shown["network"], shown["url"]) == ("dev", "http://localhost:8/")
    shown = document(capsys, "--network", "dev", "deep", "down", "--json")
    assert shown["network"] == "dev"


def test_a_distant_node_gets_a_cookie_only_on_request(capsys: pytest.CaptureFixture[str]) -> None:
    assert document(capsys, "where", "--json", "--rpc", "node.example:9336")["cookie"] is None
    shown = document(capsys, "where", "--json", "--rpc", "node.example:9336", "--cookie", "c")
    assert shown["cookie"] == "c"


def test_a_network_of_ones_own(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    table = json.loads(Path("genesis.json").read_text(encoding="utf-8"))["dev"]
    table["consensus"]["name"] = "village"
    (tmp_path / "v.json").write_text(json.dumps(table))
    shown = document(capsys, "where", "--json", "--network", str(tmp_path / "v.json"))
    assert shown["datadir"] == str(tmp_path / "village")


def test_text_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(program, ["where"]) == 0
    assert capsys.readouterr().out == "mesh \\x1b[31m\nhttp://127.0.0.1:9336/\n"


def test_a_call_prints_progress_on_stderr_only(capsys: pytest.CaptureFixture[str], raw_node: RawNode) -> None:
    assert run(program, ["call", "uptime", "--rpc", raw_node.url, "--json"]) == 0
    shown = capsys.readouterr()
    assert (json.loads(shown.out), shown.err) == (["uptime", []], "calling\n")


@pytest.mark.parametrize(
    ("argv", "code", "word", "text"),
    [
        (["fail", "refused"], 1, "name-not-found", r"no \x1b such name"),
        (["call", "x", "--rpc", "127.0.0.1:9"], 2, "unreachable", "`meshd --network mesh`"),
        (["whre"], 3, "usage", "did you mean where?"),
        (["deep", "don"], 3, "usage", "did you mean down?"),
        (["xyzzy"], 3, "usage", "no command 'xyzzy'"),
        (["call"], 3, "usage", "meshprog call --help"),
        (["where", "--network", "moon"], 3, "bad-network", "mesh, test, dev"),
        (["where", "--nonsense"], 3, "usage", "--nonsense"),
        (["where", "--rpc", "x"], 3, "bad-rpc-url", "--rpc"),
    ],
)
def test_errors_in_both_forms(
    capsys: pytest.CaptureFixture[str], argv: list[str], code: int, word: str, text: str
) -> None:
    assert run(program, argv) == code
    plain = capsys.readouterr()
    assert plain.out == ""
    assert text in plain.err
    assert "meshprog: " in plain.err
    assert run(program, ["--json", *argv]) == code
    shown = capsys.readouterr()
    error = json.loads(shown.out)["error"]
    assert error["code"] == word
    assert error["message"]
    assert isinstance(error["data"], dict)
    assert "meshprog: " not in shown.err


@pytest.mark.parametrize(("how", "code"), [("interrupt", 130), ("pipe", 141), ("0", 0), ("5", 5)])
def test_other_endings(capsys: pytest.CaptureFixture[str], how: str, code: int) -> None:
    assert run(program, ["fail", how]) == code


def test_no_command_shows_help_and_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(program, []) == 3
    assert "Commands:" in capsys.readouterr().err
    assert run(program, ["--help"]) == 0
    assert "--cookie FILE" in capsys.readouterr().out


@pytest.mark.parametrize("shell", SHELLS)
def test_completion_scripts(capsys: pytest.CaptureFixture[str], shell: str) -> None:
    assert run(program, ["completion", shell]) == 0
    assert "_MESHPROG_COMPLETE" in capsys.readouterr().out


def test_completion_itself(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_MESHPROG_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "meshprog wh")
    monkeypatch.setenv("COMP_CWORD", "1")
    assert run(program, []) == 0
    assert capsys.readouterr().out == "plain,where\n"


def test_completion_of_networks(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_MESHPROG_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_CWORD", "2")
    for begun, shown in (("d", "plain,dev\n"), ("./vill", "file,./vill\n")):
        monkeypatch.setenv("COMP_WORDS", f"meshprog --network {begun}")
        assert run(program, []) == 0
        assert capsys.readouterr().out == shown


@pytest.mark.parametrize(
    ("where", "code", "errors"), [(">&-", 0, ""), ("> /dev/full", 1, "cannot be written: No space")]
)
def test_an_output_that_takes_nothing(where: str, code: int, errors: str) -> None:
    done = subprocess.run(f'"$PYTHON" -c "$SCRIPT" {where}', shell=True, env=_script(), capture_output=True, text=True)
    assert (done.returncode, "Traceback" in done.stderr) == (code, False)
    assert errors in done.stderr


def _script() -> dict[str, str]:
    return {**os.environ, "PYTHON": sys.executable, "SCRIPT": SCRIPT}


SCRIPT = (
    "import sys; sys.path.insert(0, '.'); from tests.rpc_client.test_commandline import program;"
    "from meshchain.rpc.client.commandline import run; sys.stdin.read(); sys.exit(run(program, ['where']))"
)


def test_a_reader_that_leaves_is_no_traceback() -> None:
    read, write = os.pipe()
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT], stdin=subprocess.PIPE, stdout=write, stderr=subprocess.PIPE
    ) as process:
        os.close(write)
        os.close(read)  # gone before the program prints its first line
        _, errors = process.communicate(b"", timeout=20)
    assert (errors, process.returncode) == (b"", 141)
