"""Feed chains and TLSA records to the judge of certificates: one of the documented verdicts, within seconds, always.

    python fuzz/fuzz_certificates.py [CORPUS_DIR] [-max_total_time=60 …]     (options are libFuzzer's)

A chain is made of any bytes, of sound certificates, of such with an extension or a name that the fuzzer wrote, and of
such with changed bytes. All but the first kind are signed by the right key after the change, so that the rules behind
the signatures are reached; records mean what is in the chain as often as not.
"""

import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256, sha512
from typing import get_args

try:
    import atheris
except ImportError:
    sys.exit("atheris is not installed; on Python 3.11 or 3.12:  pip install 'atheris==3.0.0'  (Linux)")

with atheris.instrument_imports():
    from meshchain.tls.certificates import Certificate
    from meshchain.tls.report import report
    from meshchain.tls.verify import Reason, Tlsa, check_chain

from tests.tls import forge
from tests.tls.forge import Extension, Forged

NOW = datetime(2026, 11, 22, tzinfo=UTC)
HOST = "alice.mesh"
HOSTS = [HOST, "www.alice.mesh", "ALICE.mesh.", "bob.mesh", "eeee::1", "", None]
SECONDS = 5.0
"""Of CPU for one chain; the costliest known takes half a second."""
ROOT, INTER, LEAF = (forge.common_name(name) for name in ("root", "inter", "leaf"))
SOUND = [
    Forged(LEAF, INTER, 3, 2, [forge.for_names(HOST, "*.alice.mesh")]),
    Forged(INTER, ROOT, 2, 1, [forge.authority(0), forge.constraints(["mesh"], ["bob.mesh"])]),
    Forged(ROOT, ROOT, 1, 1, [forge.authority()]),
    Forged(INTER, INTER, 2, 2, [forge.authority()]),
    Forged(LEAF, LEAF, 3, 3, [forge.for_names(HOST)]),
]
MORE = (
    *("2b06010505070101", "2b06010505070103", "2b06010505070118", "2b0601050507300105"),
    *("2b06010401d679020402", "2b06010401d679020403", "2b0601040182371507", "2b0601040182371402"),
)
"""Authority information and the like, signed certificate timestamps, what Windows adds."""
KINDS = [*(bytes((0x55, 0x1D, last)) for last in (*range(9, 38), 46, 54)), *map(bytes.fromhex, MORE)]


def certificate(data: atheris.FuzzedDataProvider, sound: Forged) -> bytes:
    """In the place of a sound one."""
    kind = data.ConsumeIntInRange(0, 6)
    if kind == 0:
        return data.ConsumeBytes(data.ConsumeIntInRange(0, 500))
    if kind == 1:
        return changed(data, sound)
    if kind == 2:
        own = Extension(data.PickValueInList(KINDS), value(data), critical=data.ConsumeBool())
        return replace(sound, extensions=[own, *(e for e in sound.extensions if e.kind != own.kind)]).encode()
    if kind == 3:
        return replace(sound, **{data.PickValueInList(["subject", "issuer"]): forge.der(0x30, value(data))}).encode()
    return (data.PickValueInList(SOUND) if kind == 4 else sound).encode()


def value(data: atheris.FuzzedDataProvider) -> bytes:
    return data.ConsumeBytes(data.ConsumeIntInRange(0, 300))


def changed(data: atheris.FuzzedDataProvider, sound: Forged) -> bytes:
    tbs = bytearray(sound.tbs())
    for _ in range(data.ConsumeIntInRange(1, 4)):
        at, new = data.ConsumeIntInRange(0, len(tbs)), data.ConsumeBytes(data.ConsumeIntInRange(0, 8))
        tbs[at : at + (len(new) if data.ConsumeBool() else 0)] = new
    return forge.signed(bytes(tbs), sound.signer)


def record(data: atheris.FuzzedDataProvider, chain: list[bytes]) -> Tlsa:
    fields = [data.PickValueInList(some) for some in ([3, 2, 2, 1, 0, 4], [0, 1, 1, 2], [1, 1, 2, 0, 3])]
    meant = data.PickValueInList(chain) if chain and data.ConsumeIntInRange(0, 7) else value(data)
    read = Certificate.read(meant)
    selected = meant if read is None or not fields[1] else read.spki
    return Tlsa(*fields, (bytes, digest_256, digest_512, bytes)[fields[2]](selected))


def digest_256(data: bytes) -> bytes:
    return sha256(data).digest()


def digest_512(data: bytes) -> bytes:
    return sha512(data).digest()


def one_input(raw: bytes) -> None:
    data = atheris.FuzzedDataProvider(raw)
    chain = [certificate(data, sound) for sound in SOUND[: data.ConsumeIntInRange(0, 5)]]
    records = [record(data, chain) for _ in range(data.ConsumeIntInRange(1, 4))]
    roots = [SOUND[2].encode(), *chain[-1:]] if data.ConsumeBool() else []
    host, name_check, begin = data.PickValueInList(HOSTS), data.ConsumeBool(), time.process_time()
    found = check_chain(chain, records, host=host, now=NOW, trust_anchors=roots, name_check=name_check)
    whole = report(chain, records, host=host or HOST, port=443, now=NOW)
    if time.process_time() - begin > SECONDS:
        raise AssertionError(f"it took {time.process_time() - begin:.0f} s")
    for verdict in (found, whole.verdict):
        if verdict.reason not in get_args(Reason) or verdict.ok != (verdict.reason == "ok"):
            raise AssertionError(str(verdict))
        if verdict.ok and (verdict.matched not in records or verdict.depth not in range(11)):
            raise AssertionError(str(verdict))


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
