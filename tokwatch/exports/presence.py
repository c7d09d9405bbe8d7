"""From when to when each GPU is known to have been there: before a gap and after it, it was there in between."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable

from tokwatch.ledger.entries import Run
from tokwatch.store.seen import Seen

Stretch = tuple[int, int]


class Presence:
    """What runs saw of GPUs, joined over the gaps between runs of one kind; an import stands alone."""

    def __init__(self, seen: Iterable[Seen] = (), runs: Collection[Run] = (), within: Stretch | None = None) -> None:
        """within: (from_ms, to_ms] outside of which nothing is asked."""
        by_id = {run.id: run for run in runs}
        known: dict[tuple[int, str], list[Stretch]] = defaultdict(list)
        one_boot: dict[tuple[int, str], list[Stretch]] = defaultdict(list)
        for each in seen:
            run = by_id[each.run]
            line = f"{run.kind}/{run.id}" if run.kind == "imported" else run.kind
            known[each.entity, line].append((each.first_ms, each.last_ms))
            one_boot[each.entity, f"{line}/{run.boot_id or run.id}"].append((each.first_ms, each.last_ms))
        self._known, self._one_boot = _joined(known, within), _joined(one_boot, within)
        self._simulated = {entity for entity, line in known if line == "simulated"}

    def gpus(self, from_ms: int, to_ms: int) -> list[int]:
        """Those that were there at some time of (from_ms, to_ms]."""
        return [gpu for gpu in sorted(self._known) if self.known_ms(gpu, from_ms, to_ms, one_boot=False)]

    def simulated(self, gpu: int) -> bool:
        """It was seen in a simulation, and so was made up also while nobody watched."""
        return gpu in self._simulated

    def known_ms(self, gpu: int, from_ms: int, to_ms: int, *, one_boot: bool) -> int:
        """How much of (from_ms, to_ms] lies between two readings of a GPU; with `one_boot`, of the same boot."""
        stretches = (self._one_boot if one_boot else self._known).get(gpu, [])
        found = 0
        for first_ms, last_ms in stretches[max(0, bisect_right(stretches, (from_ms, from_ms)) - 1) :]:
            if first_ms >= to_ms:
                break
            found += max(0, min(last_ms, to_ms) - max(first_ms, from_ms))
        return found


def _joined(stretches: dict[tuple[int, str], list[Stretch]], within: Stretch | None) -> dict[int, list[Stretch]]:
    """Entity → from the first to the last of each line; lines that overlap are one."""
    spans: dict[int, list[Stretch]] = defaultdict(list)
    for (entity, _), of_line in stretches.items():
        first_ms, last_ms = min(first for first, _ in of_line), max(last for _, last in of_line)
        if within is not None:
            first_ms, last_ms = max(first_ms, within[0]), min(last_ms, within[1])
        if first_ms < last_ms:
            spans[entity].append((first_ms, last_ms))
    return {entity: _merged(sorted(found)) for entity, found in spans.items()}


def _merged(ascending: list[Stretch]) -> list[Stretch]:
    merged = ascending[:1]
    for first_ms, last_ms in ascending[1:]:
        if first_ms <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(merged[-1][1], last_ms)
        else:
            merged.append((first_ms, last_ms))
    return merged
