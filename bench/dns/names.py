"""The names that are asked for, in the ledger's store and in a zone file, and the questions for dnsperf."""

import random
from collections.abc import Iterable
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Names:
    """The same names in every form: files and a datadir. ``listed`` and the files are in one random order."""

    listed: list[str]
    datadir: Path
    """Of a dev network."""
    zone: Path
    questions: Path
    """Their AAAA under ``mesh``, for dnsperf."""
    bare: Path
    """One a line."""
    bare_questions: Path
    """Their AAAA as they are, for hsd, whose names are top-level domains."""


def build(number: int, folder: Path) -> Names:
    datadir, zone = folder / "data", folder / "mesh.zone"
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
    return Names(
        listed=names,
        datadir=datadir,
        zone=zone,
        questions=_written(folder / "questions", (f"{name}.mesh AAAA" for name in names)),
        bare=_written(folder / "names", names),
        bare_questions=_written(folder / "bare-questions", (f"{name} AAAA" for name in names)),
    )


def _written(path: Path, lines: Iterable[str]) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines))
    return path
