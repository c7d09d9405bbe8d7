"""Files that are replaced whole: whoever reads the directory sees the old file or the new one, never half of one."""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tokwatch.exports.errors import ExportError


@dataclass(frozen=True, slots=True)
class Written:
    """A file as it now is."""

    bytes: int
    sha256: str
    changed: bool  # False: it already was like that, and was left alone


class Directory:
    """One directory, held open: names are looked up in it and nowhere else, whatever its path comes to mean."""

    def __init__(self, path: Path) -> None:
        """Makes the directory where there is none. Raises ExportError."""
        self._path = path
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise ExportError(f"cannot write into {path}: {error.strerror}") from error

    def __enter__(self) -> Directory:
        return self

    def __exit__(self, *error: object) -> None:
        os.close(self._fd)

    def read(self, name: str) -> bytes | None:
        """What a file holds; None where there is none. Raises ExportError for what is no plain file."""
        try:
            with open(self._open(name, os.O_RDONLY), "rb") as file:
                return file.read()
        except FileNotFoundError:
            return None

    def replace(self, name: str, write: Callable[[IO[bytes]], object]) -> Written:
        """Write a new file beside the old one, and put it in its place once it is safe on the disk.

        What is there by that name must be a plain file: a link may lead anywhere, and is not ours.
        Raises ExportError, also when the disk is full; then the old file stands.
        """
        before = self._digest(name)
        unfinished = f".{name}.{secrets.token_hex(4)}.tmp"
        try:
            with open(self._open(unfinished, os.O_RDWR | os.O_CREAT | os.O_EXCL), "w+b") as file:
                write(file)
                file.flush()
                size = file.seek(0, os.SEEK_END)
                file.seek(0)
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
                if sha256 != before:
                    os.fsync(file.fileno())
            if sha256 != before:
                os.rename(unfinished, name, src_dir_fd=self._fd, dst_dir_fd=self._fd)
                os.fsync(self._fd)
        except OSError as error:
            raise ExportError(f"cannot write {self._path / name}: {error.strerror or error}") from error
        finally:
            self._remove(unfinished)
        return Written(size, sha256, sha256 != before)

    def _digest(self, name: str) -> str | None:
        try:
            with open(self._open(name, os.O_RDONLY), "rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except FileNotFoundError:
            return None

    def _open(self, name: str, flags: int) -> int:
        """A descriptor of a plain file. Raises FileNotFoundError, ExportError for anything else that is in the way."""
        try:
            fd = os.open(name, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o666, dir_fd=self._fd)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise ExportError(f"cannot open {self._path / name}: {error.strerror}") from error
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)
            raise ExportError(f"{self._path / name} is no plain file: it was not written by an export, move it away")
        return fd

    def _remove(self, name: str) -> None:
        try:
            os.unlink(name, dir_fd=self._fd)
        except FileNotFoundError:  # it has become the file
            return
