"""The OpenMetrics text of a Recording: family by family, series by series, samples in the order of time."""

from __future__ import annotations

from collections.abc import Iterator

from collectors.labels import clean_label
from tokwatch.exports.openmetrics.families import FAMILIES, Recording
from tokwatch.exports.openmetrics.series import Labels

_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


def lines(recording: Recording) -> Iterator[str]:
    """Every line without its end.

    A counter has a sample of 0 where the range starts and one at every edge, so its last value is what was counted.
    """
    start_ms, until_ms = recording.within.start_ms, recording.until_ms
    edges_ms = (*range(start_ms + recording.grain_ms, until_ms, recording.grain_ms), until_ms)
    for family in FAMILIES:
        found = recording.series[family]
        if not found:
            continue
        yield f"# TYPE {family.name} {family.kind}"
        yield f"# UNIT {family.name} {family.unit}"
        yield f"# HELP {family.name} {family.help}"
        name = f"{family.name}_total" if family.kind == "counter" else family.name
        for labels, series in sorted(found.items()):
            written = f"{name}{{{_written(labels)}}}"
            counter = family.kind == "counter"
            samples = series.counted(start_ms, edges_ms, family.divisor) if counter else series.means(family.divisor)
            for at_ms, value in samples:
                yield f"{written} {value!r} {_seconds(at_ms)}"
    yield "# EOF"


def _written(labels: Labels) -> str:
    """An empty label is none at all."""
    told = ((name, clean_label(value).translate(_ESCAPES)) for name, value in labels if value)
    return ",".join(f'{name}="{value}"' for name, value in told)


def _seconds(at_ms: int) -> str:
    seconds, ms = divmod(at_ms, 1000)
    return f"{seconds}.{ms:03d}" if ms else str(seconds)
