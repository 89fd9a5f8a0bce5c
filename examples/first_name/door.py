"""A door from this machine into a namespace: what comes to sockets of 127.0.0.1 here is carried to 127.0.0.1 there.

``python -m examples.first_name.door FD:PORT…`` runs inside, and has the sockets from outside: a socket stays in the
namespace where it was made. TCP goes both ways until one side ends; a datagram gets one answer.
"""

import asyncio
import socket
import sys
from contextlib import suppress
from typing import Any, Final

_THERE: Final = "127.0.0.1"
_CHUNK: Final = 1 << 16
_PATIENCE: Final = 5.0


async def _pour(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await source.read(_CHUNK):
            sink.write(data)
            await sink.drain()
    sink.close()


async def _carry(port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        there_reader, there_writer = await asyncio.open_connection(_THERE, port)
    except OSError:
        writer.close()
        return
    await asyncio.gather(_pour(reader, there_writer), _pour(there_reader, writer))


async def _ask(outside: socket.socket, port: int, question: bytes, asker: Any) -> None:  # noqa: ANN401 - an address
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as there, suppress(OSError, TimeoutError):
        there.setblocking(False)
        there.connect((_THERE, port))
        await loop.sock_sendall(there, question)
        answer = await asyncio.wait_for(loop.sock_recv(there, _CHUNK), _PATIENCE)
        await loop.sock_sendto(outside, answer, asker)


async def _open(outside: socket.socket, port: int) -> None:
    outside.setblocking(False)
    if outside.type == socket.SOCK_STREAM:
        server = await asyncio.start_server(lambda reader, writer: _carry(port, reader, writer), sock=outside)
        await server.serve_forever()
    running = set()
    while True:
        question, asker = await asyncio.get_running_loop().sock_recvfrom(outside, _CHUNK)
        task = asyncio.create_task(_ask(outside, port, question, asker))
        running.add(task)
        task.add_done_callback(running.discard)


async def main(doors: list[str]) -> None:
    pairs = [tuple(map(int, door.split(":"))) for door in doors]
    await asyncio.gather(*(_open(socket.socket(fileno=fd), port) for fd, port in pairs))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
