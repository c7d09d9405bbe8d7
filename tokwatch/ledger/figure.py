"""A figure of a Snapshot: one number that may be unknown, or the bounds of one. Shapes only."""

from __future__ import annotations

import msgspec


class Figure(msgspec.Struct, frozen=True, gc=False):
    """One number that may be unknown. `value` is None with a reason in `why`, or cost without tokens (`infinite`)."""

    value: float | None
    why: str = ""  # why value is None, in words for the screen: "warming up", "no price set", "unsupported", …
    infinite: bool = False  # cost at zero tokens: drawn as ∞
    coverage: float = 1.0  # seconds measured / seconds in the window
    # What it rests on, see marks.py: "few" · "est" · "long" · "allocated" · "part" · "stale" · "module" · "package"
    marks: tuple[str, ...] = ()


class Interval(msgspec.Struct, frozen=True, gc=False):
    """A figure known only to lie between two bounds (bucket edges); both None without observations."""

    low: float | None
    high: float | None
    why: str = ""  # why there are no bounds; of a share of fewer than 30, the counts: "few requests: 8–9 of 11"
    point: float | None = None  # one number between the bounds, where there is one
    n: int | None = None  # observations it is made of, where that is one number
    marks: tuple[str, ...] = ()  # "est": the point is interpolated · "part": some requests cannot be judged


_UNOBSERVED = Interval(None, None, "no request finished")
NO_SLO = Interval(None, None, "no SLO set")


class Quantiles(msgspec.Struct, frozen=True, gc=False):
    """A latency in seconds: the bucket that each of its quantiles falls in."""

    p50: Interval = _UNOBSERVED
    p95: Interval = _UNOBSERVED
    p99: Interval = _UNOBSERVED


UNMEASURED = Figure(None, "not measured")
