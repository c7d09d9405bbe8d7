"""Recorded pages of a real vLLM, as the pages of several engines: each is the same one at another phase."""

from __future__ import annotations

import tarfile
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from pathlib import Path

_SUFFIX = ".prom"


class Trace:
    """Pages by the moment they were asked for. What a page counts goes on from one to the next, but for a restart."""

    def __init__(self, source: Path) -> None:
        """`source`: a directory or a tar archive of <Unix ms>.prom. Raises ValueError where there are none."""
        found = sorted(_pages(source))
        if not found:
            raise ValueError(f"{source} has no <Unix ms>{_SUFFIX}")
        first_ms = found[0][0]
        self._pages = [body for _, body in found]
        self._at_s = [(at_ms - first_ms) / 1000 for at_ms, _ in found]

    @property
    def length_s(self) -> float:
        return self._at_s[-1]

    def between(self, engine: int, engines: int, from_s: float, to_s: float) -> tuple[float, bytes] | None:
        """The last page of the engine in (from_s, to_s], and its moment; None where none was got in the real run.

        Engine k begins k / engines into the trace and goes on with its beginning, as if it had restarted.
        """
        round_s = self.length_s + 1.0
        ahead_s = engine * round_s / engines
        place = bisect_right(self._at_s, (to_s + ahead_s) % round_s) - 1
        at_s = (to_s + ahead_s) // round_s * round_s + self._at_s[place] - ahead_s
        return (at_s, self._pages[place]) if from_s < at_s <= to_s else None


def _pages(source: Path) -> Iterator[tuple[int, bytes]]:
    if source.is_dir():
        yield from _named((path.name, path.read_bytes()) for path in source.glob(f"*{_SUFFIX}"))
        return
    with tarfile.open(source) as archive:
        files = ((member.name, archive.extractfile(member)) for member in archive if member.name.endswith(_SUFFIX))
        yield from _named((name, file.read()) for name, file in files if file is not None)


def _named(files: Iterable[tuple[str, bytes]]) -> Iterator[tuple[int, bytes]]:
    for name, body in files:
        yield int(Path(name).stem), body
