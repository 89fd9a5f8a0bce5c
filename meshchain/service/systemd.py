"""sd_notify(3): one datagram to the socket that systemd names; nothing where it names none."""

import os
import socket

import structlog


def notify(message: str) -> None:
    """Send e.g. "READY=1" or "STOPPING=1"; a manager that cannot be told is logged, it must not end the node."""
    path = os.environ.get("NOTIFY_SOCKET", "")
    if not path:
        return
    address = "\0" + path[1:] if path.startswith("@") else path
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.sendto(message.encode(), address)
    except (OSError, ValueError) as error:  # no such socket; a path too long or with a zero byte
        structlog.get_logger("systemd").warning("systemd cannot be told", socket=path, error=str(error))
