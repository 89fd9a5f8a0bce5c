"""argon2id and scrypt: published vectors, other implementations, limits."""

import hashlib
import threading
import time

import pytest
from argon2 import low_level
from hypothesis import given, settings
from hypothesis import strategies as st

from meshchain.crypto import argon2id, arms, scrypt


@pytest.mark.parametrize(
    ("passes", "memory_kib", "lanes", "password", "salt", "expected"),
    [
        (2, 256, 1, b"password", b"somesalt", "9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe"),
        (2, 256, 2, b"password", b"somesalt", "6d093c501fd5999645e0ea3bf620d7b8be7fd2db59c20d9fff9539da2bf57037"),
        (1, 65536, 1, b"password", b"somesalt", "f6a5adc1ba723dddef9b5ac1d464e180fcd9dffc9d1cbf76cca2fed795d9ca98"),
        (2, 65536, 1, b"password", b"diffsalt", "bdf32b05ccc42eb15d58fd19b1f856b113da1e9a5874fdcc544308565aa8141c"),
    ],
)  # fmt: skip
def test_argon2id_vectors_of_the_reference_implementation(
    passes: int, memory_kib: int, lanes: int, password: bytes, salt: bytes, expected: str
) -> None:
    """From test.c of phc-winner-argon2, version 0x13."""
    hashed = argon2id(password, salt, memory_kib=memory_kib, passes=passes, lanes=lanes)
    assert hashed.hex() == expected


def test_the_library_computes_rfc_9106_section_5_3() -> None:
    """The RFC's vector has a key and associated data, which only the C structure below argon2id takes."""
    ffi = low_level.ffi
    fields = {"out": bytes(32), "pwd": b"\1" * 32, "salt": b"\2" * 16, "secret": b"\3" * 8, "ad": b"\4" * 12}
    buffers = {name: ffi.new("uint8_t[]", value) for name, value in fields.items()}
    sizes = {f"{name}len": len(value) for name, value in fields.items()}
    costs = {"t_cost": 3, "m_cost": 32, "lanes": 4, "threads": 4, "version": 0x13}
    context = ffi.new("argon2_context *", {**buffers, **sizes, **costs})
    assert low_level.core(context, low_level.Type.ID.value) == 0
    assert bytes(ffi.buffer(buffers["out"], 32)).hex() == (
        "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"
    )


@settings(max_examples=25)
@given(
    password=st.binary(max_size=130),
    salt=st.binary(min_size=8, max_size=24),
    memory_kib=st.integers(8, 64),
    passes=st.integers(1, 3),
    size=st.integers(4, 80),
)
def test_argon2id_equals_the_librarys_own_wrapper(
    password: bytes, salt: bytes, memory_kib: int, passes: int, size: int
) -> None:
    ours = argon2id(password, salt, memory_kib=memory_kib, passes=passes, size=size)
    assert ours == low_level.hash_secret_raw(password, salt, passes, memory_kib, 1, size, low_level.Type.ID, version=19)


@pytest.mark.parametrize(
    ("salt", "memory_kib", "passes", "size", "message"),
    [
        (bytes(7), 8, 1, 32, "salt is too short"),
        (bytes(8), 7, 1, 32, "memory cost is too small"),
        (bytes(8), 8, 0, 32, "time cost is too small"),
        (bytes(8), 8, 1, 3, "output is too short"),
    ],
)
def test_argon2id_refuses_what_the_rfc_forbids(
    salt: bytes, memory_kib: int, passes: int, size: int, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        argon2id(b"", salt, memory_kib=memory_kib, passes=passes, size=size)


def _longest_pause_while_hashing() -> float:
    """The longest time this thread was held up during a long hash in another, as a part of that hash."""
    worker = threading.Thread(target=argon2id, args=(b"", bytes(8)), kwargs={"memory_kib": 65536, "passes": 2})
    began = last = time.perf_counter()
    longest = 0.0
    worker.start()
    while worker.is_alive():
        now = time.perf_counter()
        longest, last = max(longest, now - last), now
    return longest / (time.perf_counter() - began)


def test_argon2id_releases_the_gil() -> None:
    """Holding it would stop this thread for the whole hash; other load may do so once, hardly five times."""
    assert any(_longest_pause_while_hashing() < 0.5 for _ in range(5))


RFC_7914 = [
    (
        (b"", b"", 16, 1, 1, 64),
        (
            "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442"
            "fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906"
        ),
    ),
    (
        (b"password", b"NaCl", 1024, 8, 16, 64),
        (
            "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
            "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640"
        ),
    ),
]


@pytest.mark.parametrize(("arguments", "expected"), RFC_7914)
def test_scrypt_vectors_of_rfc_7914(
    each_arm: str, arguments: tuple[bytes, bytes, int, int, int, int], expected: str
) -> None:
    password, salt, n, r, p, size = arguments
    assert scrypt(password, salt, n=n, r=r, p=p, size=size).hex() == expected
    assert arms.arm().scrypt(*arguments).hex() == expected


def test_scrypt_does_without_the_standard_librarys(each_arm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some builds of Python lack hashlib.scrypt."""
    expected = scrypt(b"password", b"salt", n=16, r=2, p=3, size=40)
    monkeypatch.delattr(hashlib, "scrypt")
    assert scrypt(b"password", b"salt", n=16, r=2, p=3, size=40) == expected


def test_scrypt_takes_the_memory_it_needs() -> None:
    """OpenSSL's default limit of 32 MiB is exactly what n = 2^15, r = 8 exceeds; wallets use more."""
    assert len(scrypt(b"", b"", n=2**15, r=8, p=1, size=32)) == 32


@pytest.mark.parametrize(("n", "r", "p", "size"), [(15, 8, 1, 32), (0, 8, 1, 32), (16, 8, 0, 32), (16, 8, 1, 0)])
def test_scrypt_refuses_what_the_rfc_forbids(each_arm: str, n: int, r: int, p: int, size: int) -> None:
    with pytest.raises(ValueError, match=r".+"):
        scrypt(b"", b"", n=n, r=r, p=p, size=size)
