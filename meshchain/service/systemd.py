"""sd_notify(3): one datagram to the socket that systemd names; nothing where it names none."""

import os
import socket


def notify(message: str) -> None:
    """Send e.g. "READY=1" or "STOPPING=1"."""
    path = os.environ.get("NOTIFY_SOCKET", "")
    if not path:
        return
    address = "\0" + path[1:] if path.startswith("@") else path
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.sendto(message.encode(), address)
