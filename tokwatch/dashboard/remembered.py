"""Remembered: what of the dashboard stays from one run to the next, in a file of the user's."""

from __future__ import annotations

import os
import tempfile
import threading
from pathlib import Path
from typing import Any, Final

import msgspec

FILE: Final = "view.json"
FLEET_FILE: Final = "fleet-view.json"  # of its own: a host that is looked into runs beside the fleet, and keeps its own


class Remembered(msgspec.Struct, frozen=True, omit_defaults=True):
    """How the list of GPUs, or of hosts, was arranged, and the theme. Empty and None: as it is without."""

    sort: str = ""
    falling: bool = False
    group: str = ""
    columns: tuple[str, ...] | None = None
    theme: str = ""
    sites: str = ""  # by what the fleet's Sites were grouped


class Memory:
    """The file. `problem` is what the user should be told of it, once; nothing here is worth a failure."""

    def __init__(self, path: Path | None = None) -> None:
        """Remembers nothing without a path."""
        self._path = path
        self._kept: Remembered | None = None
        self._written: Remembered | None = None  # what the file holds
        self._problem = ""
        self._writable = True
        self._writing = threading.Lock()

    @classmethod
    def of_this_user(cls, file: str = FILE) -> Memory:
        """In the user's state directory: $XDG_STATE_HOME/tokwatch/view.json, or another file there."""
        from platformdirs import user_state_path

        return cls(user_state_path("tokwatch") / file)

    def recall(self) -> Remembered:
        """What was kept; as ever where nothing was, or where it cannot be read, which is a problem."""
        if self._kept is None:
            self._kept = self._written = self._read()
        return self._kept

    def _read(self) -> Remembered:
        if self._path is None:
            return Remembered()
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=Remembered)
        except FileNotFoundError:
            return Remembered()
        except OSError as error:
            self._problem = f"Cannot read {self._path}: {error.strerror}. The usual view is shown."
        except msgspec.MsgspecError as error:
            self._problem = f"{self._path} is not what tokwatch wrote: {error}. The usual view is shown."
        return Remembered()

    def change(self, **changes: Any) -> None:
        """Takes fields of Remembered for what is to be kept; `write` writes it."""
        self._kept = msgspec.structs.replace(self.recall(), **changes)

    def write(self) -> None:
        """Writes the newest, whole or not at all, in any thread; the first failure is a problem, and the last try."""
        with self._writing:
            if self._kept != self._written:
                self._write(self.recall())

    def _write(self, what: Remembered) -> None:
        self._written = what
        if self._path is None or not self._writable:
            return
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            written, name = tempfile.mkstemp(prefix=".view-", dir=self._path.parent)
            try:
                with os.fdopen(written, "wb") as file:
                    file.write(msgspec.json.encode(what))
                os.replace(name, self._path)
            except BaseException:
                os.unlink(name)
                raise
        except OSError as error:
            self._writable = False
            self._problem = f"The view cannot be kept in {self._path}: {error.strerror}. It lasts until tokwatch ends."

    def take_problem(self) -> str:
        """What to tell the user; "" when there is nothing, or it was told."""
        problem, self._problem = self._problem, ""
        return problem
