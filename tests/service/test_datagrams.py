"""Many datagrams a call, over real sockets of both families."""

import socket

import pytest

from meshchain.service.datagrams import MOST, Datagrams, endpoint


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_batch_there_and_back(host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as server, socket.socket(family, socket.SOCK_DGRAM) as client:
        server.bind((host, 0))
        client.connect(server.getsockname()[:2])
        client.settimeout(10)
        datagrams = Datagrams(server)
        assert datagrams.receive() == [], "nothing waits"
        sent = [bytes([at]) * (at + 1) for at in range(MOST + 6)]
        for payload in sent:
            client.send(payload)
        first, rest = datagrams.receive(), datagrams.receive()
        assert (len(first), len(rest)) == (MOST, 6)
        assert [payload for payload, _ in first + rest] == sent
        assert {endpoint(address) for _, address in first + rest} == {client.getsockname()[:2]}
        datagrams.send([(b"re " + payload, address) for payload, address in rest])
        assert [client.recv(100) for _ in rest] == [b"re " + payload for payload in sent[MOST:]]


def test_one_that_cannot_be_sent_takes_none_with_it() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server, socket.socket(type=socket.SOCK_DGRAM) as client:
        for sock in (server, client):
            sock.bind(("127.0.0.1", 0))
        client.sendto(b"?", server.getsockname())
        client.settimeout(10)
        datagrams = Datagrams(server)
        while not (found := datagrams.receive()):
            pass
        address = found[0][1]
        nowhere = address[:2] + bytes(2) + address[4:]  # port 0
        datagrams.send([(b"1", address), (b"2", nowhere), (b"3", address)])
        assert [client.recv(10) for _ in range(2)] == [b"1", b"3"]


def test_a_long_one_is_cut() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server, socket.socket(type=socket.SOCK_DGRAM) as client:
        server.bind(("127.0.0.1", 0))
        client.sendto(bytes(9000), server.getsockname())
        client.sendto(b"short", server.getsockname())
        datagrams = Datagrams(server)
        found = [payload for _ in range(2) for payload, _ in datagrams.receive()]
        assert [len(payload) for payload in found] == [4096, 5]
