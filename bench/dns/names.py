"""The names that are asked for, in the ledger's store and in a zone file, and the questions for dnsperf."""

import random
from ipaddress import IPv6Address
from pathlib import Path

from bench.ledger import bulk
from meshchain.dns.records import name_zone
from meshchain.dns.types import AAAA
from meshchain.ledger.chain.chain import Chain
from meshchain.ledger.params import bundled_networks
from meshchain.ledger.store.leveldb import LevelStore
from meshchain.ledger.workers import InlineWorkers

EXPIRES = 1_000_000
HEAD = "$ORIGIN mesh.\n@ 120 IN SOA localhost. nobody.invalid. 1 60 30 86400 120\n@ 3600 IN NS localhost.\n"


def build(number: int, datadir: Path, zone: Path, questions: Path) -> list[str]:
    """A dev network's datadir, the same as a zone file, and every name's AAAA in random order; the names."""
    (datadir / "dev").mkdir(parents=True)
    store = LevelStore(datadir / "dev" / "ledger")
    chain = Chain(store, bundled_networks()["dev"], InlineWorkers())
    bulk.cap(chain, bulk.write_names(store, bulk.random_entries(number, 1, EXPIRES)))
    store.compact()
    store.close()
    names = []
    with zone.open("w") as file:
        file.write(HEAD)
        for name, entry in bulk.random_entries(number, 1, EXPIRES):
            names.append(name)
            address = IPv6Address(name_zone(name, entry, 120).nodes[()][AAAA][1][0])
            file.write(f'{name} 120 IN AAAA {address}\n{name} 600 IN TXT "{name}"\n')
    random.Random(number).shuffle(names)
    questions.write_text("".join(f"{name}.mesh AAAA\n" for name in names))
    return names
