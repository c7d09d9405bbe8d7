"""How often a server scrapes: out of its configuration, or out of the times of samples."""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from collectors.prometheus.answers import Matrix

_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0, "y": 31_536_000.0}
_DURATION: Final = re.compile(r"(?:\d{1,9}(?:ms|[smhdwy]))+")
_PART: Final = re.compile(r"(\d+)(ms|[smhdwy])")


def configured_interval_s(yaml: str, job: str = "") -> float | None:
    """The job's scrape_interval, else the global one; None where the configuration tells neither.

    `yaml` is as a server prints it, one key a line: every job with its name first, and its own keys two blanks deep.
    """
    found: dict[str, float] = {}
    here = None
    for line in yaml.splitlines():
        if line and not line.startswith((" ", "-")):
            here = "" if line.startswith("global:") else None
        elif line.lstrip().startswith("- job_name:"):
            here = line.partition("job_name:")[2].strip().strip("\"'")
        elif here is not None and re.match(r" {2,4}scrape_interval:", line):
            seconds = _duration_s(line.partition(":")[2].strip())
            if seconds:
                found[here] = seconds
    return found.get(job, found.get(""))


def spacing_s(samples: Matrix) -> float | None:
    """The median time from one sample of a series to its next; None: no series has two."""
    gaps = list(_gaps_s(samples))
    return round(statistics.median(gaps), 1 if gaps[0] >= 1 else 3) if gaps else None


def _gaps_s(samples: Matrix) -> Iterator[float]:
    for times_s in samples.times_s:
        yield from (later - earlier for earlier, later in pairwise(times_s) if later > earlier)


def _duration_s(text: str) -> float | None:
    """1m30s as 90; None for what is no duration."""
    if _DURATION.fullmatch(text) is None:
        return None
    return sum(int(number) * _SECONDS[unit] for number, unit in _PART.findall(text))
