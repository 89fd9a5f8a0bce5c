"""Policy files of Chromium and Firefox, as texts: with our part and without it. Nothing of others is touched.

Chromium reads every file of a folder, so ours stands alone. It takes the authority with a constraint of its own
(CACertificatesWithConstraints), beside the one in the certificate. Firefox reads one file, which ours is merged into;
it knows no constraint but the certificate's, which it enforces.
"""

import base64
import json
from dataclasses import dataclass
from typing import Any, Final

from meshchain.tls.authority import ZONE
from wallet.errors import RefusalError

_MODE: Final = "autoConfig"


@dataclass(frozen=True, slots=True)
class Facts:
    """``root``: the authority's certificate in DER. ``pac``: address of the PAC file."""

    root: bytes
    pac: str


def chromium(facts: Facts) -> str:
    constrained = {
        "certificate": base64.b64encode(facts.root).decode(),
        "constraints": {"permitted_dns_names": [ZONE]},
    }
    policy = {
        "CACertificatesWithConstraints": [constrained],
        "ProxySettings": {"ProxyMode": "pac_script", "ProxyPacUrl": facts.pac},
    }
    return json.dumps(policy, indent=2) + "\n"


def chromium_facts(text: str) -> Facts | None:
    """What a file of ours says; None for another one."""
    try:
        policy = json.loads(text)
        root = base64.b64decode(policy["CACertificatesWithConstraints"][0]["certificate"], validate=True)
        return Facts(root, str(policy["ProxySettings"]["ProxyPacUrl"]))
    except (ValueError, KeyError, IndexError, TypeError):
        return None


def firefox(text: str | None, certificate: str, pac: str) -> str:
    """``text`` with our part; RefusalError (browser-policy) where a policy sets another proxy or is unreadable.

    ``certificate``: path of the authority's file.
    """
    whole = _read(text)
    policies = whole.setdefault("policies", {})
    proxy = policies.get("Proxy")
    if proxy is not None and not _ours(proxy, certificate, policies):
        raise RefusalError(
            "browser-policy", "Firefox's policies.json sets a proxy already; take it out, or add the PAC file there"
        )
    policies["Proxy"] = {"Mode": _MODE, "AutoConfigURL": pac, "Locked": False}
    install = policies.setdefault("Certificates", {}).setdefault("Install", [])
    if certificate not in install:
        install.append(certificate)
    return json.dumps(whole, indent=2) + "\n"


def without_firefox(text: str, certificate: str) -> str | None:
    """``text`` without our part; None if nothing else is left."""
    whole = _read(text)
    policies = whole.get("policies", {})
    if _ours(policies.get("Proxy"), certificate, policies):
        del policies["Proxy"]
    certificates = policies.get("Certificates", {})
    certificates["Install"] = [path for path in certificates.get("Install", []) if path != certificate]
    if not certificates["Install"]:
        del certificates["Install"]
    if not certificates:
        policies.pop("Certificates", None)
    return None if whole in ({}, {"policies": {}}) else json.dumps(whole, indent=2) + "\n"


def has_firefox(text: str | None, certificate: str) -> bool:
    try:
        policies = _read(text).get("policies", {})
    except RefusalError:
        return False
    return _ours(policies.get("Proxy"), certificate, policies)


def _ours(proxy: object, certificate: str, policies: dict[str, Any]) -> bool:
    installed = policies.get("Certificates", {}).get("Install", [])
    return isinstance(proxy, dict) and proxy.get("Mode") == _MODE and certificate in installed


def _read(text: str | None) -> dict[str, Any]:
    try:
        whole = json.loads(text) if text else {}
    except ValueError as error:
        raise RefusalError("browser-policy", f"Firefox's policies.json is no JSON: {error}") from None
    parts = whole.get("policies", {}) if isinstance(whole, dict) else None
    if not isinstance(parts, dict) or not isinstance(parts.get("Certificates", {}), dict):
        raise RefusalError("browser-policy", "Firefox's policies.json has not the documented shape")
    return dict(whole)
