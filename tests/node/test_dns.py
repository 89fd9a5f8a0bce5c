"""A real meshd answers DNS for a name that was registered with it, by every way in, through a restart."""

import http.client
from pathlib import Path

import dns.message
import dns.query
import dns.rcode

from tests.node.registering import drafts
from tests.node.running import Running
from tests.waiting import eventually, free_port


def test_a_name_from_registration_to_restart(tmp_path: Path) -> None:
    port = free_port()
    options = ("--dns", f"127.0.0.1:{port}")

    def ask(name: str, kind: str) -> dns.message.Message:
        return dns.query.udp(dns.message.make_query(name, kind, want_dnssec=True), "127.0.0.1", 20, port)

    def serial() -> int:
        found: int = ask("mesh", "SOA").answer[0][0].serial
        return found

    with Running(tmp_path / "data", *options) as node:
        node.wait()
        eventually(lambda: ask("alice.mesh", "TXT").rcode() == dns.rcode.NXDOMAIN, "the zone is there")
        node.call("queueoperation", drafts(node, "alice", 7))
        eventually(lambda: ask("alice.mesh", "TXT").rcode() == dns.rcode.NOERROR, "alice is there")
        before, key = serial(), ask("mesh", "DNSKEY").answer[0]
        connection = http.client.HTTPConnection(node.client.url.removeprefix("http://").rstrip("/"), timeout=20)
        query = dns.message.make_query("alice.mesh", "TXT")
        connection.request("POST", "/dns-query", query.to_wire(), {"Content-Type": "application/dns-message"})
        assert query.is_response(dns.message.from_wire(connection.getresponse().read()))
        connection.close()
        node.stop()
    with Running(tmp_path / "data", *options) as node:
        node.wait()
        eventually(lambda: ask("mesh", "SOA").rcode() == dns.rcode.NOERROR, "the zone is there again")
        assert serial() == before, "nothing has changed"
        assert ask("mesh", "DNSKEY").answer[0] == key
        assert "Traceback" not in node.log()
