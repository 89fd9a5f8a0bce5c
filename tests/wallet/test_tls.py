"""``meshwallet tls`` against the real ledger: the files serve, the record vouches, a rollover takes its time."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from meshchain.tls import tlsa
from meshchain.tls.verify import check_chain
from tests.wallet.lab import ALICE, Lab
from tests.wallet.test_commands import Desk
from wallet import tls_serving
from wallet.errors import RefusalError, WalletError
from wallet.tls_files import TlsFolder
from wallet.tls_serving import Place

PLACE = Place("alice", 443, 600)


class Shop:
    """alice's desk, a folder for her server, and a clock."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.lab = Lab(folder)
        self.desk = Desk(self.lab, self.lab.wallet(words_of=ALICE), capsys)
        self.out = folder / "tls"
        self.now = 1_800_000_000.0

    def tls(self, *, rollover: bool = False) -> dict[str, Any]:
        return self.desk(tls_serving.serve, PLACE, self.out, rollover=rollover, clock=lambda: self.now)

    def records(self) -> list[str]:
        return [text for label, kind, _, text in self.desk.dns() if (label, kind) == ("_443._tcp", "TLSA")]

    def accepts(self) -> bool:
        """Whether the ledger vouches for what the folder holds."""
        certificate = x509.load_pem_x509_certificate((self.out / "alice.mesh.crt").read_bytes())
        records = [tlsa.parse(text) for text in self.records()]
        now = datetime.fromtimestamp(self.now, UTC)
        return check_chain([certificate.public_bytes(Encoding.DER)], records, host="alice.mesh", now=now).ok


@pytest.fixture
def shop(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shop:
    made = Shop(tmp_path, capsys)
    made.desk.register()
    return made


def test_first(shop: Shop) -> None:
    said = shop.tls()
    shop.lab.mine(2)
    assert shop.records() == [said["record"]]
    assert said["record"].startswith("3 1 1 ")
    assert shop.accepts()
    assert Path(said["key"]).stat().st_mode & 0o777 == 0o600
    assert "ssl_certificate_key" in tls_serving.usage(TlsFolder(shop.out, "alice.mesh"), PLACE)


def test_again_changes_nothing(shop: Shop) -> None:
    first = shop.tls()
    shop.lab.mine(2)
    again = shop.tls()
    assert (again["record"], again["txids"]) == (first["record"], [])


def test_rollover(shop: Shop) -> None:
    old = shop.tls()["record"]
    shop.lab.mine(2)
    assert shop.tls(rollover=True)["state"] == "published"
    assert shop.tls(rollover=True)["state"] == "publishing"
    shop.lab.mine(2)
    new = next(text for text in shop.records() if text != old)
    assert sorted(shop.records()) == sorted([old, new])
    waiting = shop.tls(rollover=True)
    assert (waiting["state"], waiting["record"], waiting["wait_s"]) == ("published", old, 2 * PLACE.ttl + 1)
    shop.now += 2 * PLACE.ttl - 1
    assert shop.tls(rollover=True)["record"] == old
    shop.now += 1
    switched = shop.tls(rollover=True)
    assert (switched["state"], switched["record"]) == ("switched", new)
    assert shop.accepts()
    assert shop.tls(rollover=True)["txids"] == []
    assert sorted(shop.records()) == sorted([old, new])
    shop.now += 2 * PLACE.ttl
    assert shop.tls(rollover=True)["state"] == "done"
    shop.lab.mine(2)
    assert shop.records() == [new]
    assert shop.accepts()


def test_rollover_without_a_first(shop: Shop) -> None:
    with pytest.raises(WalletError) as caught:
        shop.tls(rollover=True)
    assert caught.value.code == "tls-files"


def test_files_of_others(shop: Shop) -> None:
    shop.out.mkdir()
    (shop.out / "alice.mesh.key").write_text("no key")
    (shop.out / "alice.mesh.crt").write_text("no certificate")
    with pytest.raises(WalletError, match="cannot be read as a key"):
        shop.tls()


def test_not_the_owner(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RefusalError):
        Shop(tmp_path, capsys).tls()
