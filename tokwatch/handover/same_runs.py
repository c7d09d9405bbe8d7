"""Which runs of several files are the same recording, and what hosts are called where names were replaced."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tokwatch.handover.scrub import same_for_same
from tokwatch.ledger.entries import Run
from tokwatch.store.cut import Cut
from tokwatch.store.errors import StoreError


@dataclass(frozen=True, slots=True)
class Described:
    """What one file says of its runs."""

    path: Path
    cut: Cut | None
    runs: tuple[Run, ...]

    @property
    def names_of(self) -> str:
        """Within which names mean the same: everywhere, or in what was cut at one time."""
        return self.cut.id if self.cut is not None and self.cut.names_replaced else ""


class Identity(NamedTuple):
    """What tells a recording from all others."""

    names_of: str
    host: str
    boot: str
    started_ms: int
    kind: str
    source: str


class _Began(NamedTuple):
    """The same, as it is known whether or not names were replaced."""

    boot: str
    started_ms: int
    kind: str
    source: str


def identity(file: Described, run: Run) -> Identity:
    return Identity(file.names_of, run.host, run.boot_id, _began_ms(run), run.kind, run.source)


def refuse_unlike_names(files: Sequence[Described]) -> None:
    """Raises StoreError where files hold one recording under different names: it would be counted twice."""
    first: dict[_Began, Described] = {}
    for file in files:
        for run in file.runs:
            other = first.setdefault(_began(file, run), file)
            if other.names_of != file.names_of:
                raise StoreError(
                    f"{other.path} and {file.path} hold the same recording, and names were replaced in one of them or "
                    "in each by itself: what they have in common cannot be told. Leave one of them out, or share them "
                    "again with --keep-names."
                )


def host_names(files: Sequence[Described]) -> list[Callable[[str], str]]:
    """For each file, what its hosts are called: a stand-in of another file's host gets a name of its own."""
    called: dict[tuple[str, str], str] = {}
    for file in files:
        for host in dict.fromkeys(run.host for run in file.runs):
            if (file.names_of, host) not in called:
                number, name = 1, host
                while name in called.values():
                    number += 1
                    name = f"{host}-{number}"
                called[file.names_of, host] = name

    def names(names_of: str) -> Callable[[str], str]:
        return lambda host: called.get((names_of, host), host)

    return [names(file.names_of) for file in files]


def _began(file: Described, run: Run) -> _Began:
    boot, source = run.boot_id, run.source
    if not file.names_of:
        boot, source = same_for_same("boot", boot), same_for_same("import", source)
    return _Began(boot, _began_ms(run), run.kind, source)


def _began_ms(run: Run) -> int:
    """An import is known by its content, whenever it came into which store."""
    return 0 if run.kind == "imported" else run.started_ms
