"""Reads a Prometheus text page (version 0.0.4): the wanted samples of it, strictly, and the names on it.

Only lines whose name is wanted are parsed in full; of the others the name alone is checked. A line that cannot be read
fails the whole page, because a counter read from a broken page would become tokens and money.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Container, Iterable
from dataclasses import dataclass

from collectors.labels import clean_label

# 300 000 series took a general parser 3.7 s. These caps bound the time a hostile page can take to about 0.5 s.
MAX_LINES = 250_000
MAX_SAMPLES = 50_000  # wanted ones


class PageKind(enum.StrEnum):
    """What a page that could not be read seems to be."""

    MALFORMED = "malformed"
    TOO_LONG = "too long"
    HTML = "html"
    JSON = "json"


class ExpositionError(ValueError):
    """The page is no metrics page that can be trusted; the text says why and where."""

    def __init__(self, problem: str, kind: PageKind = PageKind.MALFORMED) -> None:
        super().__init__(problem)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Sample:
    """One series of a family and its value. Label values are clean; a trailing timestamp is checked and dropped."""

    labels: dict[str, str]
    value: float  # may be NaN or infinite


SeriesLine = tuple[int, str, str]  # line number, series name, line
Samples = dict[str, list[Sample]]  # by series name as it stands on the page ("x_bucket", "x_sum", "y_total")

_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*(?=[ \t{])")
_LABEL = re.compile(
    r'[ \t]*([a-zA-Z_][a-zA-Z0-9_]*)[ \t]*=[ \t]*"([^"\\]*+(?:\\.[^"\\]*+)*+)"[ \t]*(?:,[ \t]*|(?=\}))',
)
_ESCAPE = re.compile(r'\\[\\n"]')
_ESCAPED = {r"\\": "\\", r"\n": "\n", r"\"": '"'}


def parse(page: bytes, wanted: Container[str]) -> Samples:
    """The samples of `page` whose series name is in `wanted`, in page order. Names that are absent have no key.

    Raises ExpositionError on a page that is not metrics, is cut off, is too long, or has an unreadable line.
    """
    return samples_of(series_lines(page), wanted)


def samples_of(lines: Iterable[SeriesLine], wanted: Container[str]) -> Samples:
    """`parse`, of lines that are split already."""
    samples: Samples = {}
    seen: set[str] = set()
    for number, name, line in lines:
        if name not in wanted:
            continue
        try:
            series, sample = _parse_series(name, line)
            if series in seen:
                raise ValueError("the same series twice")
        except ValueError as error:
            raise _malformed(number, line, str(error)) from None
        seen.add(series)
        if len(seen) > MAX_SAMPLES:
            raise ExpositionError(f"more than {MAX_SAMPLES} series to read", PageKind.TOO_LONG)
        samples.setdefault(name, []).append(sample)
    return samples


def names_on(page: bytes) -> frozenset[str]:
    """All series names on `page`. Raises ExpositionError as `parse` does, but looks at names only."""
    return frozenset(name for _, name, _ in series_lines(page))


def series_lines(page: bytes) -> list[SeriesLine]:
    """(line number, series name, line) of every line that is neither blank nor a comment. Raises ExpositionError."""
    _refuse_other_formats(page)
    if page.count(b"\n") > MAX_LINES:
        raise ExpositionError(f"page of more than {MAX_LINES} lines", PageKind.TOO_LONG)
    # Not splitlines(): that also splits at U+2028 and vertical tabs, which may stand inside a label value.
    lines: list[SeriesLine] = []
    for number, line in enumerate(page.decode("utf-8", "replace").split("\n"), 1):
        line = line.strip(" \t\r")
        if not line or line[0] == "#":
            continue
        name = _NAME.match(line)
        if name is None:
            raise _malformed(number, line, "no metric name at the start")
        lines.append((number, name[0], line))
    return lines


def _refuse_other_formats(page: bytes) -> None:
    start = page[:64].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"<"):
        raise ExpositionError("HTML page, not metrics: is this the right path?", PageKind.HTML)
    if start.startswith((b"{", b"[")):
        raise ExpositionError("JSON, not metrics: is this the right path?", PageKind.JSON)
    if page and not page.endswith(b"\n"):
        raise ExpositionError("page is cut off: its last line has no end")  # "1744" cut to "17" would be a misread


def _parse_series(name: str, line: str) -> tuple[str, Sample]:
    """(the series as written, its sample). Raises ValueError with what is wrong."""
    labels: dict[str, str] = {}
    position = len(name)
    if line[position:].lstrip(" \t").startswith("{"):
        position = line.index("{") + 1
        while match := _LABEL.match(line, position):
            label, value = match.groups()
            if label in labels:
                raise ValueError("the same label twice")
            if "\\" in value:  # an unknown escape stays as it is, as in Prometheus itself
                value = _ESCAPE.sub(lambda escape: _ESCAPED[escape[0]], value)
            labels[label] = clean_label(value)
            position = match.end()
        if line[position : position + 1] != "}":
            raise ValueError("labels cannot be read")
        position += 1
    numbers = line[position:].partition(" # {")[0]  # an exemplar: OpenMetrics only, but some send it unasked
    fields = numbers.split()
    if not fields or len(fields) > 2:
        raise ValueError("needs a value and at most a timestamp")
    if len(fields) == 2:
        _number(fields[1])
    return line[:position], Sample(labels, _number(fields[0]))


def _number(text: str) -> float:
    # float() also takes "1_000" and digits of other scripts, which the format does not have.
    if "_" in text or not text.isascii():
        raise ValueError("value is not a number")
    try:
        return float(text)
    except ValueError:
        raise ValueError("value is not a number") from None


def _malformed(number: int, line: str, problem: str) -> ExpositionError:
    return ExpositionError(f"line {number}: {problem}: {clean_label(line, 60)}")
