"""Feed heads to the HTTPS proxy's parser: ProxyRefusal, or a name under .mesh and a port that it leads to.

    python fuzz/fuzz_proxy_request.py [CORPUS_DIR] [-max_total_time=60 …]     (options are libFuzzer's)

Half of the inputs are whole heads, half targets put together from what targets are made of. What the proxy would answer
is made as well: one head and no second, whatever the target was.
"""

import re
import sys

try:
    import atheris
except ImportError:
    sys.exit("atheris is not installed; on Python 3.11 or 3.12:  pip install 'atheris==3.0.0'  (Linux)")

with atheris.instrument_imports():
    from meshchain.tls import pages, proxy_request
    from meshchain.tls.proxy_request import ProxyRefusal

NAME = re.compile(r"([a-z0-9_-]{1,63}\.)+mesh")
PARTS = [
    *(b"", b"", b"alice", b".", b".mesh", b".mesh:443", b".mesh", b":", b"443", b"8443", b"80", b"22", b"0", b"065536"),
    *(
        b"http://",
        b"HTTP://",
        b"/",
        b"?",
        b"#",
        b"@",
        b"[eeee::1]",
        b"127.0.0.1",
        b"-",
        b"_",
        b"A",
        b"a" * 63,
        b"a" * 190,
    ),
    *(b"%0d%0a", b"\r\n", b"\n", b"\0", b" ", "\u00fc".encode(), "\uff0e".encode(), b"\xff", b"<b>", b'"', b"xn--"),
]
ADDRESS = re.compile(r"https://([a-z0-9_-]{1,63}\.)+mesh[/?][!-~]*")


def head(data: atheris.FuzzedDataProvider) -> bytes:
    if data.ConsumeBool():
        return data.ConsumeBytes(data.remaining_bytes())
    parts = [data.PickValueInList(PARTS) or data.ConsumeBytes(3) for _ in range(data.ConsumeIntInRange(0, 12))]
    return data.PickValueInList([b"CONNECT ", b"GET "]) + b"".join(parts) + b" HTTP/1.1\r\n\r\n"


def connect(target: str) -> None:
    host, port = proxy_request.connect_target(target)
    if not NAME.fullmatch(host) or len(host) > 253 or port not in proxy_request.PORTS:
        raise AssertionError(f"{target!r} leads to {host!r} port {port}")
    check(pages.refusal(host, "no-match", "it is another's"))


def redirect(target: str) -> None:
    address = proxy_request.secure_address(target)
    if address is None:
        return
    if not ADDRESS.fullmatch(address):
        raise AssertionError(f"{target!r} is sent to {address!r}")
    check(pages.redirect(address))


def check(answer: bytes) -> None:
    fields, body = answer.split(proxy_request.END, 1)
    sizes = re.findall(rb"\r\nContent-Length: (\d+)", fields)
    if len(sizes) != 1 or int(sizes[0]) != len(body):
        raise AssertionError(f"{answer!r} is no single answer")


def one_input(raw: bytes) -> None:
    try:
        request = proxy_request.parse(head(atheris.FuzzedDataProvider(raw)))
        redirect(request.target)
        connect(request.target)
    except ProxyRefusal as refusal:
        if refusal.status not in (400, 403):
            raise
        check(pages.plain(refusal.status, refusal.code, refusal.message))


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
