"""Number formats: how a figure, an amount of money, a duration or a moment is written. Unknown is "–", never 0."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from tokwatch.dashboard.glyphs import ABSENT, INFINITE
from tokwatch.indices import indices
from tokwatch.ledger.marks import signs
from tokwatch.ledger.snapshot import Figure, Interval

_ENGINES = {
    "vllm": "vLLM",
    "sglang": "SGLang",
    "tensorrt-llm": "TensorRT-LLM",
    "tgi": "TGI",
    "tei": "TEI",
    "triton": "Triton",
    "lmdeploy": "LMDeploy",
    "nim": "NIM",
    "dynamo": "Dynamo",
    "dynamo-worker": "Dynamo worker",
    "ray-serve": "Ray Serve",
    "kserve": "KServe",
    "litellm": "LiteLLM",
    "endpoint-picker": "endpoint picker",
}  # others are written as their key
_LARGE_MEMORY_GB = 32
_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}


def currency_sign(currency: str) -> str:
    """ "$" for USD; a currency without a sign of its own is written out with a space."""
    return _SIGNS.get(currency, f"{currency} ")


def engine(name: str) -> str:
    """An engine as its makers write it; others as they came."""
    return _ENGINES.get(name.lower(), name)


def count(value: float) -> str:
    """A whole number with a thin group: 12 431; from 100 000 on as `short`. Below 10 with a decimal, if it has one."""
    if 0 < abs(value) < 9.95 and round(value, 1) != round(value):
        return _minus(f"{value:.1f}")
    if abs(value) >= 99_999.5:
        return short(value)
    return _minus(f"{value:,.0f}".replace(",", " "))


def short(value: float) -> str:
    """Three figures and a unit: 58.0k, 1.24M; whole below 1 000."""
    for limit, factor, unit in ((999.5e6, 1e9, "G"), (999.5e3, 1e6, "M"), (999.5, 1e3, "k")):
        if abs(value) >= limit:
            scaled = value / factor
            decimals = 2 if abs(scaled) < 9.995 else 1 if abs(scaled) < 99.95 else 0
            return _minus(f"{scaled:.{decimals}f}{unit}")
    return _minus(f"{value:.0f}")


def watts(value: float) -> str:
    """Power with its unit: 612 W, 15.8 kW, 2.65 MW."""
    for limit, factor, unit in ((999_500, 1e6, "MW"), (9_995, 1e3, "kW")):
        if abs(value) >= limit:
            scaled = value / factor
            decimals = 2 if abs(scaled) < 9.995 else 1 if abs(scaled) < 99.95 else 0
            return _minus(f"{scaled:.{decimals}f} {unit}")
    return f"{count(round(value))} W"


def gigabytes(value: float, total: float | None) -> str:
    """Memory in use: with a decimal on a device that has little of it, whole on others, so that a column lines up."""
    return count(round(value)) if total is not None and total >= _LARGE_MEMORY_GB else _minus(f"{value:.1f}")


def ratio(value: float) -> str:
    """Two decimals below 1 000, whole above: tok/s/W."""
    return _minus(f"{value:.2f}") if abs(value) < 999.995 else count(value)


def amount(value: float) -> str:
    """Money without its sign: to the cent below 1 000, whole above; a measured zero is 0."""
    if value == 0:
        return "0"
    return _minus(f"{value:.2f}") if abs(value) < 999.995 else count(value)


def money(value: float, sign: str = "$") -> str:
    """Money with its sign: $4.58, $1 240, $0.00."""
    body = f"{abs(value):.2f}" if abs(value) < 999.995 else count(abs(value))
    return f"{'−' if value < 0 else ''}{sign}{body}"


def per_million(value: float) -> str:
    """Money per million tokens, without its sign: two decimals, three below 0.10."""
    return (
        _minus(f"{value:.3f}")
        if 0 < abs(value) < 0.0995
        else _minus(f"{value:.2f}")
        if value < 999.995
        else count(value)
    )


def percent(share: float) -> str:
    """A share of 0..1 as a whole number of per cent, without the sign."""
    return _minus(f"{share * 100:.0f}")


def figure(value: Figure, write: Callable[[float], str]) -> str:
    """A Figure in words: "–" when unknown, "∞" for cost without tokens, else with the signs of its marks before it."""
    if value.infinite:
        return INFINITE
    if value.value is None:
        return ABSENT
    return signs(value.marks) + write(value.value)


def is_few(value: Figure) -> bool:
    """Under 100 tokens: true, and not worth comparing."""
    return "few" in value.marks and value.value is not None and not value.infinite


def interval(value: Interval, write: Callable[[float], str]) -> str:
    """Both bounds, never the middle: 97.2–98.9. An open end is written as > or <."""
    if value.low is None and value.high is None:
        return ABSENT
    if value.high is None or value.high == float("inf"):
        return f"> {write(value.low or 0.0)}"
    if value.low is None:
        return f"< {write(value.high)}"
    low, high = write(value.low), write(value.high)
    return low if low == high else f"{low}–{high}"


def percent_tenths(share: float) -> str:
    """A share of 0..1 in per cent with one decimal; a hundred per cent has none."""
    return "100" if share >= 0.9995 else f"{share * 100:.1f}"


def verdict(met: str, target: float | None) -> str:
    """What an SLO's bounds say of its target; "" without one."""
    if target is None:
        return ""
    words = {"met": "meets {}", "missed": "misses {}"}.get(met, "{}: cannot tell")
    return words.format(f"{target * 100:g} %")


def seconds(value: float) -> str:
    """A latency in seconds, with as many decimals as its size deserves: 0.025, 0.25, 2.5, 30."""
    if value == 0:
        return "0"
    return f"{value:.3f}" if value < 0.095 else f"{value:.2f}" if value < 9.995 else f"{value:.0f}"


def edge(value: float) -> str:
    """The edge of a bucket with as many figures as it has, three at most: 0.25, 7.5, 30."""
    return f"{value:.3g}" if value < 1000 else count(value)


def edge_ms(value_s: float) -> str:
    """The same in milliseconds."""
    return edge(value_s * 1000)


def duration(length_s: float, room: int = 7) -> str:
    """12s, 41m, 2h 05m, 3d 4h: the two largest units if they fit in `room` cells, else the larger one."""
    whole = max(0, int(length_s))
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m"
    if whole < 86_400:
        large, small = f"{whole // 3600}h", f"{whole % 3600 // 60:02d}m"
    else:
        large, small = f"{whole // 86_400}d", f"{whole % 86_400 // 3600}h"
    both = f"{large} {small}"
    return both if len(both) <= room else large


def stopwatch(length_s: float) -> str:
    """h:mm, as a recorder shows it."""
    minutes = max(0, int(length_s)) // 60
    return f"{minutes // 60}:{minutes % 60:02d}"


def local(at_ms: int, utc_offset_s: int) -> datetime:
    """A moment on the clock of the recording host."""
    return datetime.fromtimestamp(at_ms / 1000, UTC) + timedelta(seconds=utc_offset_s)


def clock(at_ms: int, utc_offset_s: int) -> str:
    """HH:MM:SS on the clock of the recording host."""
    return f"{local(at_ms, utc_offset_s):%H:%M:%S}"


def hour_minute(at_ms: int, utc_offset_s: int) -> str:
    """HH:MM on the clock of the recording host."""
    return f"{local(at_ms, utc_offset_s):%H:%M}"


def devices(numbers: tuple[int, ...], device: str) -> str:
    """Devices by kind and index, "gpu 0–3, 6"; the processors are one and have none."""
    return "" if not numbers else "cpu" if device == "CPU" else f"{device.lower()} {indices(numbers)}"


def _minus(text: str) -> str:
    return text.replace("-", "−", 1)
