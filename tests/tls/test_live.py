"""The same live servers and records before ``openssl s_client`` and ``ldns-dane``: they and check_chain must agree.

openssl knows all of DANE, but for the dates of an anchor that did not sign itself, which it takes for granted.
ldns-dane knows no digest agility, no anchors between leaf and root, and nothing that the server did not send; it is
asked about the rest.
"""

import shutil
import subprocess
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from meshchain.tls import fetch
from meshchain.tls.verify import Tlsa, check_chain
from tests.tls.kit import Cert, record
from tests.tls.servers import serving

NOW = datetime.now(UTC)
HOST = "alice.mesh"
NAMES = (HOST, f"{HOST}.")
"""ldns-dane looks for the name with its last dot."""
ROOT = Cert("root", "root", ca=True, days=(-100, 100), at=NOW)
INTER = Cert("inter", "root", ca=True, days=(-50, 50), at=NOW)
LEAF = Cert("leaf", "inter", names=NAMES, at=NOW)
ALONE = Cert("leaf", "leaf", names=NAMES, at=NOW)
OTHER = Cert("other", "other", names=NAMES, at=NOW)
OLD = (-9, -1)


@dataclass(frozen=True)
class Case:
    what: str
    chain: tuple[Cert, ...]
    records: tuple[Tlsa, ...]
    reason: str = "ok"
    ldns: bool = True
    """Whether ldns-dane can be asked."""


CASES = (
    Case("leaf by key", (ALONE,), (record(3, 1, 1, ALONE),)),
    Case("leaf by key, sha512", (ALONE,), (record(3, 1, 2, ALONE),)),
    Case("leaf whole", (ALONE,), (record(3, 0, 0, ALONE),)),
    Case("wrong key", (OTHER,), (record(3, 1, 1, ALONE),), "no-match"),
    Case("wrong key of an authority", (LEAF, INTER), (record(2, 1, 1, OTHER),), "no-match"),
    Case("expired, usage 3", (replace(ALONE, days=OLD),), (record(3, 1, 1, ALONE),)),
    Case("expired, usage 2", (replace(LEAF, days=OLD), INTER, ROOT), (record(2, 1, 1, ROOT),), "expired"),
    Case("expired authority", (LEAF, replace(INTER, days=OLD), ROOT), (record(2, 1, 1, ROOT),), "expired"),
    Case("expired anchor", (LEAF, INTER, replace(ROOT, days=OLD)), (record(2, 1, 1, ROOT),), "expired"),
    Case("name, usage 3", (replace(ALONE, names=("bob.mesh",)),), (record(3, 1, 1, ALONE),), "name-mismatch"),
    Case("name, usage 2", (replace(LEAF, names=("bob.mesh",)), INTER, ROOT), (record(2, 1, 1, ROOT),),
         "name-mismatch"),
    Case("no usable record", (ALONE,), (Tlsa(3, 1, 9, bytes(32)),), "no-usable-records", ldns=False),
    Case("missing intermediate", (LEAF, ROOT), (record(2, 1, 1, ROOT),), "untrusted"),
    Case("intermediate from the ledger", (LEAF, ROOT), (record(2, 0, 0, INTER),), ldns=False),
    Case("anchor sent", (LEAF, INTER, ROOT), (record(2, 0, 1, ROOT),)),
    Case("anchor in the middle", (LEAF, INTER), (record(2, 0, 2, INTER),), ldns=False),
    Case("anchor from the ledger", (LEAF, INTER), (record(2, 0, 0, ROOT),), ldns=False),
    Case("anchor not sent", (LEAF, INTER), (record(2, 1, 1, ROOT),), "no-match", ldns=False),
    Case("bare key", (LEAF, INTER), (record(2, 1, 0, ROOT),), ldns=False),
    Case("agility", (ALONE,), (record(3, 1, 1, ALONE), record(3, 1, 2, OTHER)), "no-match", ldns=False),
    Case("rollover", (ALONE,), (record(3, 1, 1, OTHER), record(3, 1, 1, ALONE))),
    Case("constraint", (LEAF, replace(INTER, permitted=("com",))), (record(2, 1, 1, INTER),), "untrusted", ldns=False),
    Case("path length", (LEAF, INTER, replace(ROOT, path_length=0)), (record(2, 1, 1, ROOT),), "untrusted"),
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.what)
def test_agreement(case: Case, tmp_path: Path) -> None:
    with serving(tmp_path, case.chain) as port:
        sent = fetch.chain("127.0.0.1", port, HOST, timeout=20)
        assert sent == [cert.der for cert in case.chain]
        assert check_chain(sent, case.records, host=HOST, now=NOW).reason == case.reason
        assert openssl(port, case.records) == (case.reason == "ok")
        if case.ldns:
            assert ldns(tmp_path, port, case.records) == (case.reason == "ok")


def openssl(port: int, records: tuple[Tlsa, ...]) -> bool:
    """Whether s_client accepts, and by a record: with none usable it would fall back to its own roots."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", HOST, "-verify_return_error"]
    command += ["-dane_tlsa_domain", HOST, "-no_ign_eof"]
    for one in records:
        command += ["-dane_tlsa_rrdata", str(one)]
    ended = subprocess.run(command, input=b"x\n", capture_output=True, timeout=60, check=False)
    return b"Verification: OK" in ended.stdout and b"DANE TLSA" in ended.stdout


def ldns(folder: Path, port: int, records: tuple[Tlsa, ...]) -> bool:
    if shutil.which("ldns-dane") is None:
        pytest.skip("ldns-dane is not installed: apt install ldnsutils")
    file = folder / "tlsa"
    file.write_text("".join(f"_{port}._tcp.{HOST}. 60 IN TLSA {one}\n" for one in records))
    command = ["ldns-dane", "-d", "-T", "-t", str(file), "-a", "127.0.0.1", "verify"]
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
    assert b"dane-validate" in ended.stdout + ended.stderr or ended.returncode in (0, 1), ended
    return ended.returncode == 0 and b"dane-validated successfully" in ended.stdout
