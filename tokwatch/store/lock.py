"""One recorder a host: an abstract Unix socket that is gone with its process, and says who holds it."""

from __future__ import annotations

import errno
import hashlib
import os
import pwd
import socket
import struct
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from tokwatch.store.location import readable_system_store

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
_ANSWER_S: Final = 0.5
_ANSWER_BYTES: Final = 8192


@dataclass(frozen=True, slots=True)
class Recorder:
    """Who records. The kernel vouches for pid and uid; who is not the same user knows `store` only by asking for it."""

    pid: int
    uid: int
    store: Path | None


class _Answer(msgspec.Struct):
    pid: int
    uid: int
    store: str | None = None


class RecorderLock:
    """Held from `acquire` until `release` or the end of the process."""

    def __init__(self, sockets: list[socket.socket], store: Path) -> None:
        self._sockets = sockets
        self._store = store
        self._threads = [
            threading.Thread(target=self._serve, args=(listening,), name="tokwatch-lock", daemon=True)
            for listening in sockets
        ]
        for thread in self._threads:
            thread.start()

    @classmethod
    def acquire(cls, store: Path, *, exclusive_host: bool, boot_id: str | None = None) -> RecorderLock | None:
        """The lock of a store and, where `exclusive_host`, of the host; None when somebody else holds either.

        A demo, a test or another explicit store has `exclusive_host` false: it stands beside the host's recorder.
        """
        names = [_store_name(store, boot_id)]
        if exclusive_host:
            names.append(_host_name(boot_id))
        sockets: list[socket.socket] = []
        for name in names:
            listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
            sockets.append(listening)
            try:
                listening.bind(name)
            except OSError as error:
                for each in sockets:
                    each.close()
                if error.errno == errno.EADDRINUSE:
                    return None
                raise
            listening.listen(8)
        return cls(sockets, store)

    def release(self) -> None:
        """Let the next recorder begin: the name is free when this returns."""
        # A name stays bound while its thread is inside accept(): shutdown wakes it, and its end is waited for.
        for listening in self._sockets:
            listening.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(2 * _ANSWER_S)  # it may be answering somebody
        for listening in self._sockets:
            listening.close()

    def _serve(self, listening: socket.socket) -> None:
        while True:
            try:
                asking, _ = listening.accept()
            except OSError:
                return  # released; or no descriptors left, and the name is held all the same
            with asking:
                _, uid = _peer(asking)
                store = os.fspath(self._store) if uid == os.getuid() else None
                asking.settimeout(_ANSWER_S)
                try:
                    asking.sendall(msgspec.json.encode(_Answer(os.getpid(), os.getuid(), store)) + b"\n")
                except OSError:
                    continue  # whoever asked has gone


def who_records(store: Path | None = None, *, boot_id: str | None = None) -> Recorder | None:
    """Who records into `store`, or on this host at all; None when nobody does. Takes half a second at most."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as asking:
        asking.settimeout(_ANSWER_S)
        try:
            asking.connect(_host_name(boot_id) if store is None else _store_name(store, boot_id))
        except OSError:
            return None
        pid, uid = _peer(asking)
        answer = _read_answer(asking) if uid == os.getuid() else None
        return Recorder(pid, uid, Path(answer.store) if answer is not None and answer.store else store)


def recorder_for(store: Path) -> Recorder | None:
    """Who records what a viewer of `store` should see: into it, else into the system's store, else on this host at all.

    Takes a second and a half at most.
    """
    system = readable_system_store()
    return who_records(store) or (who_records(system) if system is not None else None) or who_records()


def user_of(recorder: Recorder) -> str:
    """The name of the user whose recorder it is; the number of one without a name."""
    try:
        return pwd.getpwuid(recorder.uid).pw_name
    except KeyError:
        return str(recorder.uid)


def _read_answer(asking: socket.socket) -> _Answer | None:
    received = b""
    try:
        while not received.endswith(b"\n") and len(received) < _ANSWER_BYTES:
            chunk = asking.recv(_ANSWER_BYTES)
            if not chunk:
                break
            received += chunk
        return msgspec.json.decode(received, type=_Answer)
    except (OSError, msgspec.MsgspecError):
        return None  # it holds the name and says nothing: pid and uid are known all the same


def _peer(connected: socket.socket) -> tuple[int, int]:
    """(pid, uid) of the other side, from the kernel; of the listener as it was when it began to listen."""
    size = struct.calcsize("3i")
    pid, uid, _ = struct.unpack("3i", connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))
    return pid, uid


def _host_name(boot_id: str | None) -> str:
    return "\0tokwatch/" + (boot_id or _BOOT_ID.read_text(encoding="ascii").strip())


def _store_name(store: Path, boot_id: str | None) -> str:
    digest = hashlib.sha256(os.fsencode(os.path.realpath(store))).hexdigest()[:32]
    return f"{_host_name(boot_id)}/{digest}"
