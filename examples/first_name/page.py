"""A small web server, of the standard library alone: ``python -m examples.first_name.page HOST PORT [CERT KEY]``.

With a certificate and its key it speaks HTTPS. PORT 0 is any free one. Its first line says where it listens.
"""

import socket
import ssl
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Page(BaseHTTPRequestHandler):
    """Greets, and says as whom it sees the visitor."""

    timeout = 30.0

    def do_GET(self) -> None:
        body = f"hello from alice.mesh to {self.client_address[0]}\n".encode()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Server(ThreadingHTTPServer):
    def __init__(self, host: str, port: int) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), Page)

    def protect(self, certificate: str, key: str) -> None:
        """Handshakes happen in the visitors' threads: a slow one keeps nobody waiting."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)


def main(host: str, port: str, *files: str) -> None:
    server = Server(host, int(port))
    if files:
        server.protect(*files)
    shown = f"[{host}]" if ":" in host else host
    print(f"serving at {'https' if files else 'http'}://{shown}:{server.server_address[1]}/", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
