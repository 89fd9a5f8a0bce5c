"""``meshwallet browser``: write, prove and remove what browsers need. Root, since policies are the machine's."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from meshchain.config.values import Address
from meshchain.rpc.client.session import Session
from meshchain.tls.pages import AUTHORITY_PATH, PAC_PATH
from wallet.browser import policies, proof
from wallet.browser.policies import Facts
from wallet.errors import RefusalError

PROBE: Final = "status.mesh"
"""Asked for in the proof; it need not exist."""
_CHROMIUM: Final = "chromium/policies/managed/meshchain.json"
_CHROME: Final = "opt/chrome/policies/managed/meshchain.json"
_FIREFOX: Final = "firefox/policies/policies.json"
_CERTIFICATE: Final = "firefox/policies/meshchain-authority.crt"


@dataclass(frozen=True, slots=True)
class Machine:
    """``root``: / but for images and tests."""

    root: Path

    @property
    def chromium_files(self) -> list[Path]:
        """Chromium's, and Google Chrome's where there is one."""
        etc = self.root / "etc"
        chrome = (etc / "opt/chrome").is_dir() or (self.root / "opt/google/chrome").is_dir()
        return [etc / _CHROMIUM, *([etc / _CHROME] if chrome else [])]

    @property
    def firefox_file(self) -> Path:
        return self.root / "etc" / _FIREFOX

    @property
    def certificate(self) -> Path:
        return self.root / "etc" / _CERTIFICATE

    @property
    def certificate_name(self) -> str:
        """As Firefox on that machine finds it."""
        return f"/etc/{_CERTIFICATE}"

    @property
    def browsers(self) -> list[str]:
        found = ("chromium", "google-chrome", "firefox", "firefox-esr")
        return [name for name in found if shutil.which(name)]


def install(session: Session, machine: Machine, proxy: Address) -> None:
    """Write, then prove."""
    facts = Facts(proof.limited_root(proof.get(f"http://{proxy}{AUTHORITY_PATH}")), f"http://{proxy}{PAC_PATH}")
    proof.get(facts.pac)
    firefox = policies.firefox(_text(machine.firefox_file), machine.certificate_name, facts.pac)
    changed = [_write(file, policies.chromium(facts)) for file in machine.chromium_files]
    changed.append(_write(machine.certificate, _pem(facts.root)))
    changed.append(_write(machine.firefox_file, firefox))
    _show(session, machine, "installed", changed)


def status(session: Session, machine: Machine) -> int:
    """0 if all is in place and proven, else 1."""
    return _show(session, machine, "status", [])


def uninstall(session: Session, machine: Machine) -> None:
    """Remove our parts; what others put there stays."""
    gone = [file for file in (*machine.chromium_files, machine.certificate) if _remove(file)]
    text = _text(machine.firefox_file)
    if text is not None and policies.has_firefox(text, machine.certificate_name):
        rest = policies.without_firefox(text, machine.certificate_name)
        if rest is None:
            _remove(machine.firefox_file)
        else:
            _write(machine.firefox_file, rest)
        gone.append(machine.firefox_file)
    files = [str(file) for file in gone]
    session.emit({"state": "uninstalled", "changed": files}, "\n".join(["removed:", *files]) if files else "nothing")


def _show(session: Session, machine: Machine, state: str, changed: list[Path]) -> int:
    facts = _installed(machine)
    if facts is None:
        session.emit({"state": "absent", "changed": [], "proven": False, "browsers": machine.browsers}, "not installed")
        return 1
    code = proof.fetch(_proxy_of(facts), PROBE, facts.root)
    document: dict[str, Any] = {
        "state": state, "changed": [str(file) for file in changed], "proven": True, "pac": facts.pac,
        "fetched": f"https://{PROBE}/", "http_status": code, "days_left": proof.days_left(facts.root),
        "chromium": True, "firefox": policies.has_firefox(_text(machine.firefox_file), machine.certificate_name),
        "browsers": machine.browsers,
    }  # fmt: skip
    session.emit(document, _words(document))
    return 0 if document["firefox"] else 1


def _words(document: dict[str, Any]) -> str:
    lines = [f"wrote {file}" for file in document["changed"]]
    lines.append(f"proven: https://{PROBE}/ came through the proxy with a certificate that the policies trust")
    lines.append(
        f"the authority was made on this computer, for .mesh only; it is valid for {document['days_left']} days"
    )
    lines.append(f"browsers here: {', '.join(document['browsers']) or 'none of those known'}; restart those that run")
    return "\n".join(lines)


def _installed(machine: Machine) -> Facts | None:
    text = _text(machine.chromium_files[0])
    return None if text is None else policies.chromium_facts(text)


def _proxy_of(facts: Facts) -> tuple[str, int]:
    host, _, port = facts.pac.removeprefix("http://").removesuffix(PAC_PATH).rpartition(":")
    return host.strip("[]"), int(port)


def _text(file: Path) -> str | None:
    try:
        return file.read_text()
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise RefusalError("browser-policy", f"{file} cannot be read: {error}", path=str(file)) from None


def _write(file: Path, text: str) -> Path:
    beside = file.with_name(f".{file.name}.new")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(text)
        beside.chmod(0o644)  # every user's browser reads it
        os.replace(beside, file)
    except OSError as error:
        raise _needs_root(file, error) from None
    return file


def _remove(file: Path) -> bool:
    try:
        file.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise _needs_root(file, error) from None
    return True


def _needs_root(file: Path, error: OSError) -> RefusalError:
    advice = "; run it with sudo" if isinstance(error, PermissionError) else ""
    return RefusalError("browser-files", f"cannot change {file}: {error.strerror}{advice}", path=str(file))


def _pem(der: bytes) -> str:
    return x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM).decode()
