"""Which arm is taken, when it is loaded, and what it says about itself."""

import os
import subprocess
import sys
import warnings

import pytest

from meshchain.crypto import CryptoWarning, arm_name, arms, sign_ecdsa
from tests.crypto.both_arms import missing

LIBRARIES = ("coincurve", "cryptography", "ecdsa", "Crypto", "argon2", "_argon2_cffi_bindings")


def _python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if name != arms.ENVIRONMENT}
    return subprocess.run(
        [sys.executable, "-W", "always", "-c", code],
        env={**clean, **environment}, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def _without(*libraries: str) -> str:
    """Python code after which these cannot be imported, as if they were not installed."""
    return f"import sys; sys.modules.update(dict.fromkeys({libraries!r}));"


def test_importing_the_package_loads_no_crypto_library() -> None:
    loaded = f"[name for name in {LIBRARIES!r} if name in sys.modules]"
    done = _python(f"import sys, meshchain.crypto, meshchain.crypto.address; print({loaded})")
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


@pytest.mark.parametrize(
    ("name", "other"), [("fast", ("ecdsa", "Crypto")), ("portable", ("coincurve", "cryptography"))]
)
def test_the_environment_names_the_arm_and_the_other_stays_unloaded(name: str, other: tuple[str, str]) -> None:
    if reason := missing(name):
        pytest.skip(reason)
    code = "import sys; from meshchain.crypto import *; print(arm_name(), is_ecdsa_public_key(bytes([2] * 33)), "
    done = _python(code + f"[name for name in {other!r} if name in sys.modules])", MESHCHAIN_CRYPTO=name)
    assert done.stdout.split(maxsplit=2)[::2] == [name, "[]\n"], done.stderr


@pytest.mark.skipif(missing("fast") is not None, reason=str(missing("fast")))
def test_the_fast_arm_is_the_default() -> None:
    done = _python("from meshchain.crypto import arm_name; print(arm_name())")
    assert (done.stdout.strip(), done.stderr) == ("fast", "")


@pytest.mark.skipif(missing("portable") is not None, reason=str(missing("portable")))
@pytest.mark.parametrize("absent", ["coincurve", "cryptography"])
def test_without_its_wheels_the_portable_arm_serves_after_one_warning(absent: str) -> None:
    code = "from meshchain.crypto import arm_name, is_ecdsa_public_key; print(arm_name(), arm_name());"
    done = _python(_without(absent) + code + "is_ecdsa_public_key(bytes(33))")
    assert done.stdout.split() == ["portable", "portable"], done.stderr
    assert done.stderr.count("portable cryptography in use") == 1


def test_an_arm_that_was_asked_for_is_never_replaced() -> None:
    done = _python(_without("coincurve") + "import meshchain.crypto as c; c.arm_name()", MESHCHAIN_CRYPTO="fast")
    assert done.returncode != 0
    assert "ModuleNotFoundError" in done.stderr or "ImportError" in done.stderr


def test_an_unknown_arm_is_named_with_the_known_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(arms.ENVIRONMENT, "quick")
    arms.use(None)
    with pytest.raises(ValueError, match="'quick' is no arm; known are fast and portable"):
        arm_name()


def test_portable_signing_warns_once() -> None:
    if reason := missing("portable"):
        pytest.skip(reason)
    from meshchain.crypto.arms import portable

    portable._warn_of_timing.cache_clear()
    arms.use("portable")
    try:
        with pytest.warns(CryptoWarning, match="time that depends on the key") as caught:
            assert len([sign_ecdsa(bytes([1] * 32), bytes(32)) for _ in range(2)]) == 2
        assert len(caught) == 1
        assert caught[0].filename == __file__
    finally:
        arms.use(None)


def test_verification_on_the_portable_arm_does_not_warn() -> None:
    if reason := missing("portable"):
        pytest.skip(reason)
    from meshchain.crypto.arms import portable

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert not portable.ecdsa_verify(b"\x02" + bytes(32), bytes(32), bytes([1] * 64))
    assert caught == []


def test_both_modules_provide_an_arm() -> None:
    """Checked by the type checker; at run time, that nothing of the interface is missing."""
    wanted = {name for name in vars(arms.Arm) if not name.startswith("_")}
    for name in arms.NAMES:
        if missing(name) is None:
            assert wanted <= set(vars(sys.modules[f"meshchain.crypto.arms.{name}"]))


def _typed() -> tuple[arms.Arm, arms.Arm]:
    """Never called: the type checker compares both modules with the protocol here."""
    from meshchain.crypto.arms import fast, portable

    return fast, portable
