"""Which unix socket is at the other end of another, as Linux tells by netlink (`sock_diag(7)`)."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

_NETLINK_SOCK_DIAG: Final = 4
_SOCK_DIAG_BY_FAMILY: Final = 20
_NLM_F_REQUEST: Final = 1
_UDIAG_SHOW_PEER: Final = 4
_UNIX_DIAG_PEER: Final = 2
_ALL: Final = 0xFFFF_FFFF

_HEADER: Final = struct.Struct("=IHHII")
_REQUEST: Final = struct.Struct("=BBHIIIII")
_ANSWER: Final = struct.Struct("=BBBBIII")
_ATTRIBUTE: Final = struct.Struct("=HH")
_ALIGNMENT: Final = 4


def peer_of(inode: int) -> int | None:
    """Return the inode of the unix socket at the other end of one; None where there is none."""
    import socket  # few programs have one, and it takes a while to load

    request = _REQUEST.pack(socket.AF_UNIX, 0, 0, _ALL, inode, _UDIAG_SHOW_PEER, _ALL, _ALL)
    header = _HEADER.pack(_HEADER.size + len(request), _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST, 1, 0)
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG) as link:
            link.settimeout(1.0)
            link.send(header + request)
            answer = link.recv(64 * 1024)
    except OSError:
        return None
    if len(answer) < _HEADER.size or _HEADER.unpack_from(answer)[1] != _SOCK_DIAG_BY_FAMILY:
        return None
    place = _HEADER.size + _ANSWER.size
    while place + _ATTRIBUTE.size <= len(answer):
        length, kind = _ATTRIBUTE.unpack_from(answer, place)
        if kind == _UNIX_DIAG_PEER:
            return int(struct.unpack_from("=I", answer, place + _ATTRIBUTE.size)[0])
        place += max(length + -length % _ALIGNMENT, _ATTRIBUTE.size)
    return None


def has_open(processes: Iterable[int], link: str) -> bool:
    """Say whether one of some processes has open what is called so below /proc/PID/fd."""
    for process in processes:
        folder = f"/proc/{process}/fd"
        for name in os.listdir(folder):
            with suppress(FileNotFoundError):
                if os.readlink(f"{folder}/{name}") == link:
                    return True
    return False
