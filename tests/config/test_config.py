"""Sources and their order, files that are wrong, and configurations written back."""

import json
import tomllib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from meshchain.config import Config, ConfigError, load
from meshchain.config.links import EthernetInterface, UdpInterface
from meshchain.config.options import OPTIONS
from meshchain.config.text import effective, example
from meshchain.config.toml_file import MAX_SIZE
from meshchain.config.values import Address
from meshchain.ledger.params import bundled_networks
from meshchain.rpc.client.datadir import default_datadir


def problems(text: str | bytes, tmp_path: Path) -> tuple[str, ...]:
    file = tmp_path / "node.toml"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(ConfigError) as caught:
        load({}, {}, file)
    assert caught.value.code == "bad-config"
    assert caught.value.message == "\n".join(caught.value.problems)
    return tuple(line.removeprefix(f"{file}:") for line in caught.value.problems)


def test_defaults_follow_the_network() -> None:
    config = load({"network": ["test"]}, {})
    assert config.datadir == default_datadir() / "test"
    assert (config.rpc, config.dns) == (Address("127.0.0.1", 19336), Address("127.0.0.1", 15336))
    assert config.p2p == Address("::", 19337)
    assert (config.peers, config.dns_forward, config.links) == ((), (), None)
    assert (config.tun, config.zone, config.mine, config.socks, config.proxy) == ("mesh0", 0, True, None, None)
    assert config.explicit == {"network"}


def test_argv_beats_environment_beats_file_beats_default(tmp_path: Path) -> None:
    file = tmp_path / "node.toml"
    file.write_text('network = "test"\ndatadir = "data"\nzone = 3\npeer = ["a.example:1"]\n')
    config = load({}, {}, file)
    assert (config.params.name, config.datadir, config.zone) == ("test", tmp_path / "data" / "test", 3)
    assert config.sources["zone"] == f"{file}:3: zone"
    config = load({}, {"MESH_NETWORK": "dev", "MESH_DATADIR": ""}, file)
    assert (config.params.name, config.datadir) == ("dev", tmp_path / "data" / "dev")
    config = load({"network": ["mesh"], "peer": ["b.example:2"]}, {"MESH_NETWORK": "dev"}, file)
    assert (config.params.name, config.peers) == ("mesh", (Address("b.example", 2),))
    assert config.explicit == {"network", "datadir", "zone", "peer"}


def test_scratch_takes_the_datadir_and_stands_in_for_defaults(tmp_path: Path) -> None:
    scratch = {"datadir": str(tmp_path), "rpc": "127.0.0.1:1", "tun": "off"}
    config = load({"tun": ["mesh9"]}, {"MESH_DATADIR": "/elsewhere"}, scratch=scratch)
    assert (config.datadir, config.rpc.port, config.tun) == (tmp_path / "mesh", 1, "mesh9")
    assert config.scratch
    assert config.explicit == {"tun"}


def test_repeated_peers_are_one(tmp_path: Path) -> None:
    config = load({"peer": ["a.example:1", "b.example:1", "a.example:1"]}, {})
    assert config.peers == (Address("a.example", 1), Address("b.example", 1))


def test_links() -> None:
    config = load({"link": ["udp:eth0", "ethernet:eth1"]}, {})
    assert config.links == (UdpInterface("eth0"), EthernetInterface("eth1"))
    assert load({"link": ["none"]}, {}).links == ()
    with pytest.raises(ConfigError, match="none stands alone"):
        load({"link": ["none", "udp:eth0"]}, {})


def test_two_servers_at_one_address() -> None:
    with pytest.raises(ConfigError, match=r"rpc and proxy cannot both listen at 127\.0\.0\.1:9336"):
        load({"proxy": ["127.0.0.1:9336"]}, {})
    load({"rpc": ["127.0.0.1:0"], "dns": ["127.0.0.1:0"]}, {})


def test_ports_that_take_a_right() -> None:
    assert not load({}, {}).low_ports
    assert not load({"rpc": ["127.0.0.1:0"], "dns": ["127.0.0.1:1024"], "socks": ["127.0.0.1:1080"]}, {}).low_ports
    for name in ("rpc", "dns", "p2p", "socks", "proxy"):
        assert load({name: ["127.0.0.1:53"]}, {}).low_ports


def test_a_network_of_ones_own_is_found_beside_the_file(tmp_path: Path) -> None:
    table = json.loads(Path("genesis.json").read_text(encoding="utf-8"))["dev"]
    table["consensus"]["name"] = "village"
    (tmp_path / "village.json").write_text(json.dumps(table))
    (tmp_path / "node.toml").write_text('network = "village.json"\n')
    config = load({}, {}, tmp_path / "node.toml")
    assert (config.params.name, config.datadir.name) == ("village", "village")
    assert config.network == str(tmp_path / "village.json")


def test_every_problem_is_named_with_its_place(tmp_path: Path) -> None:
    text = 'rpc = "x"\nzone = "1"\n\n[tun]\nname = 1\n'
    file = tmp_path / "node.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load({"mine": ["on"], "peer": ["a.example:1", "b"]}, {"MESH_NETWORK": "moon"}, file)
    assert set(caught.value.problems) == {
        f"{file}:2: zone: it must be an integer",
        f"{file}:4: tun: it must be a string",
        f"{file}:1: rpc 'x': it must be HOST:PORT",
        "--mine 'on': it must be auto or off",
        "--peer 'b': it must be HOST:PORT",
        "MESH_NETWORK 'moon': unknown network 'moon'; known: mesh, test, dev, or a path to a .json file",
    }


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("rcp = 1", "1: rcp: unknown key; did you mean rpc?"),
        ('zone = 1\n"rcp" = 1', "2: rcp: unknown key; did you mean rpc?"),
        ('tun = """\nrcp = 1"""\nrcp = 2', "3: rcp: unknown key; did you mean rpc?"),
        ("zone = true", "1: zone: it must be an integer"),
        ("zone = 1.0", "1: zone: it must be an integer"),
        ("rpc = 9336", "1: rpc: it must be a string"),
        ("peer = 1", "1: peer: it must be an array of strings"),
        ("peer = [\n 1]", "1: peer: it must be an array of strings"),
        ("a.b = 1", "1: a: unknown key"),
        ("[[peer]]\nx = 1", "1: peer: it must be an array of strings"),
        ("zone = -1", "1: zone '-1': it must be a number from 0 to 65535"),
        ("zone = ", "1: Invalid value"),
        ("zone = x\nrpc = 1", "1:8: Invalid value"),
        ("zone = 1\nzone = 2", "2: Cannot overwrite a value"),
        ('rpc = "', "1: "),
        (b"zone = 1\n# \xff", "2: not UTF-8"),
        ("zone = " + "1" * 5000, " not usable: "),
        ("x = " + "[" * 5000 + "]" * 5000, " not usable: "),
        ("#" * (MAX_SIZE + 1), f" larger than {MAX_SIZE} bytes"),
        ('datadir = ""', "1: datadir '': it must be a path"),
        ('datadir = "\\u0000"', "1: datadir '\\x00': it must be a path"),
    ],
)
def test_files_that_are_wrong(tmp_path: Path, text: str | bytes, problem: str) -> None:
    assert any(line.startswith(problem) for line in problems(text, tmp_path))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone\.toml: No such file"):
        load({}, {}, tmp_path / "gone.toml")
    with pytest.raises(ConfigError, match="Is a directory"):
        load({}, {}, tmp_path)


def test_the_example_loads_as_it_is_and_with_every_line_in_use(tmp_path: Path) -> None:
    params = bundled_networks()["mesh"]
    file = tmp_path / "node.toml"
    file.write_text(example(params), encoding="utf-8")
    assert load({}, {}, file).explicit == frozenset()
    lines = example(params).splitlines()
    used = "\n".join(line[1:] if line.startswith("#") and line[1:2] not in (" ", "") else line for line in lines)
    assert tomllib.loads(used).keys() == {option.name for option in OPTIONS} | {"rule"}
    file.write_text(used, encoding="utf-8")
    assert load({}, {}, file).explicit == {option.name for option in OPTIONS}


def same(one: Config, other: Config) -> bool:
    names = set(one.__slots__) - {"sources", "scratch"}
    return all(getattr(one, name) == getattr(other, name) for name in names)


@pytest.mark.parametrize(
    "argv",
    [
        {},
        {"network": ["dev"], "datadir": ['/tmp/a "b" \\ \x7f é'], "dns": ["off"], "p2p": ["off"], "tun": ["off"]},
        {"peer": ["[::1]:1", "x.example:2"], "link": ["udp:eth0:1", "tcp-listen:[::]:5"], "mine": ["off"]},
        {"link": ["none"], "zone": ["7"], "dns-forward": ["2620:fe::fe"], "socks": ["[::1]:1080"]},
    ],
)
def test_the_effective_configuration_loads_to_the_same(tmp_path: Path, argv: dict[str, list[str]]) -> None:
    config = load(argv, {})
    file = tmp_path / "effective.toml"
    file.write_text(effective(config), encoding="utf-8")
    assert same(config, load({}, {}, file))


TOML_JUNK = st.lists(
    st.sampled_from(
        [*(option.name for option in OPTIONS), "=", "=", "\n", "\n", '"', "'", '"""', "[", "]", "[[", ",", ".", "#",
         "off", "1", "true", "1979-05-27", "{", "}", "\\", '"udp:eth0"', '"127.0.0.1:1"', "inf", "\x00", "ü"]
    ),
    max_size=25,
).map(" ".join)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
@given(junk=TOML_JUNK.map(str.encode) | st.binary(max_size=80))
def test_any_file_is_a_configuration_or_a_config_error(tmp_path: Path, junk: bytes) -> None:
    file = tmp_path / "junk.toml"
    file.write_bytes(junk)
    try:
        load({}, {}, file)
    except ConfigError as error:
        assert error.problems  # noqa: PT017 (either outcome is right)
