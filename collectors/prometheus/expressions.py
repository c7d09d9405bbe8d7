"""PromQL as text: selectors, increments of counters, labels that are made, several figures in one query. Pure."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

FIGURE: Final = "tw_figure"  # which of the figures of a query a series is
MAX_QUERY: Final = 12_000  # characters; VictoriaMetrics refuses more than 16 384 bytes
_NAME: Final = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*", re.ASCII)


def quoted(text: str) -> str:
    """A PromQL string: JSON's escapes are among Go's."""
    return json.dumps(text, ensure_ascii=False)


def any_of(values: Iterable[str]) -> str:
    """A regular expression that matches exactly these values. RE2 has no look-around, and needs none for this."""
    return "|".join(_escaped(value) for value in sorted(set(values)))


def _escaped(text: str) -> str:
    return re.sub(r"([\\.+*?()|\[\]{}^$])", r"\\\1", text)


def selector(names: str | Sequence[str], *matchers: str) -> str:
    """Series of one name, or of any of several; matchers as `label="value"`. Raises ValueError for what is no name."""
    names = [names] if isinstance(names, str) else list(dict.fromkeys(names))
    if not names or not all(_NAME.fullmatch(name) for name in names):
        raise ValueError("a metric name is letters, digits, _ and :")
    if len(names) > 1:
        return "{" + ",".join((f"__name__=~{quoted(any_of(names))}", *matchers)) + "}"
    return names[0] + ("{" + ",".join(matchers) + "}" if matchers else "")


def duration(seconds: float) -> str:
    """As PromQL writes it."""
    return f"{max(math.ceil(seconds * 1000), 1)}ms" if seconds % 1 else f"{max(int(seconds), 1)}s"


def matches(label: str, values: Iterable[str], *, others: bool = False) -> str:
    """A matcher for a label that is one of `values`, or with `others` none of them."""
    return f"{label}{'!~' if others else '=~'}{quoted(any_of(values))}"


def label_of(text: str, label: str, source: str, pattern: str = "(.+)") -> str:
    """`label` out of another one, where that matches; else it stays what it was."""
    return f"label_replace({text},{quoted(label)},{quoted('$1')},{quoted(source)},{quoted(pattern)})"


def joined(text: str, label: str, separator: str, sources: Sequence[str]) -> str:
    """`label` out of several others, of which any may be missing."""
    return f"label_join({text},{','.join(map(quoted, (label, separator, *sources)))})"


def constant(text: str, label: str, value: str) -> str:
    """Every series of `text` with one more label."""
    return f"label_replace({text},{quoted(label)},{quoted(value.replace('$', '$$'))},{quoted('')},{quoted('')})"


def scaled(text: str, scale: float) -> str:
    return text if scale == 1 else f"({text})*{scale!r}"


def either(texts: Sequence[str], on: str = "") -> str:
    """The first that has an answer, for each label set, or for each value of the label `on`."""
    joined = f" or on({on}) " if on else " or "
    return joined.join(f"({text})" for text in texts) if len(texts) > 1 else texts[0]


def increment(counter: str, window_s: float, interval_s: float) -> str:
    """How far a counter went in the window, series by series; see `restarted` for what restarts do.

    The newest sample less the newest one a window ago: whole counts, between samples, of a time that is the window but
    for where scrapes fell. A series that is younger counts from its first sample: what it stood at then was earned
    before anybody looked. increase() is no substitute: Prometheus stretches it to the edges of the window (1.33 × at
    four scrapes a window), VictoriaMetrics takes a new series' first sample for an increment.
    Where a series restarted, or went away within the window, it is increase(): a little stretched is better than lost.
    """
    window = duration(window_s)
    whole = f"{counter} - ({counter} offset {window} or min_over_time({counter}[{window}])) >= 0"
    return f"(({whole}) unless {restarted(counter, window_s, interval_s)}) or increase({counter}[{window}])"


def steady_increment(counter: str, window_s: float) -> str:
    """The same of series that stood there a window ago, where a series that fell is told apart by the caller."""
    return f"{counter} - {counter} offset {duration(window_s)}"


def restarted(counter: str, window_s: float, interval_s: float) -> str:
    """Series of a counter that fell between the two samples of `increment`, the earlier of which may stand up to two
    scrapes before the window."""
    return f"resets({counter}[{duration(window_s + 2 * interval_s)}]) > 0"


class Ask(NamedTuple):
    """One figure of a query."""

    figure: str
    text: str


def packed(asks: Iterable[Ask], limit: int = MAX_QUERY) -> tuple[str, ...]:
    """Queries of at most `limit` characters, if no single figure is longer, that answer all figures, told apart by the
    label FIGURE."""
    queries: list[str] = []
    for ask in asks:
        text = constant(ask.text, FIGURE, ask.figure)
        if queries and len(queries[-1]) + len(text) + 4 <= limit:
            queries[-1] += f" or {text}"
        else:
            queries.append(text)
    return tuple(queries)
