"""Indices of devices in words."""

from __future__ import annotations

from collections.abc import Iterable


def indices(numbers: Iterable[int]) -> str:
    """Ascending, runs joined: "0–3, 6"."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(f"{run[0]}–{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)
