"""Text that attacks whoever displays it, and a box, its past and its marks whose every text is such a text."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final, get_type_hints

from msgspec.structs import replace

from tests.dashboard.answers import ANSWERS
from tests.dashboard.poison import Poison, made
from tests.dashboard.scenes.alerts import EVERYTHING
from tests.dashboard.scenes.money_box import MONEY_BOX
from tests.dashboard.snapshots import BOX, NOW_MS, windows
from tokwatch.feeds.mark import KINDS, Mark
from tokwatch.ledger.prices.version import Prices
from tokwatch.ledger.snapshot import Snapshot
from tokwatch.ledger.window_figures import WindowFigures

HOSTILE = (
    "\x1b]0;evil\x07",
    "\x1b[2J\x1b[31m",
    "\x9d0;evil\x9c",
    "\x9b2J",
    "\x90q\x9c",
    "\x1bPq\x1b\\\x1bc\x1b#8\x1b_evil\x1b\\",
    "\x1b]52;c;ZXZpbA==\x07\x1b]8;;https://evil.example\x1b\\",
    "[@click=app.quit]x[/]",
    "[@click=app.attacked]x[/]",
    "[link=https://evil.example]x[/link]",
    "[red]red[/red]",
    "a[/b]",
    "abc\u202edcb\u2066",
    "zero\u200b\u200d\u2060width\ufe0f",
    "\r\n\t\b\x00\x7f",
    "\u2028line\u2029",
    "模型模型模型模型模型模型模型",
    "🤖👩‍🚀🇩🇪👍🏽",
    "Z\u0301\u0301\u0301\u0301algo",
    "\u1160\u115f\u3164jamo",
    "\ud800lone",
    "x" * 1_500,
    "\U000e0041\ufeff\xad",
    "../../../escaped",
    "</text><script>evil()</script>&amp;",
    "--store=/escaped; $(touch escaped)",
    "",
)
_MOST_WAYS = 4  # structs between which a field of an answer chooses
ALL = " ".join(text[:40] for text in HOSTILE)

# What decides which way the drawing goes. Spared in one of two boxes, so that every way is gone.
STEERING: Final = frozenset(
    {
        *("Snapshot.mode", "Snapshot.kind", "StateSpan.state", "Mark.state", "Mute.state", "TrafficRow.tier_source"),
        *("GpuRow.state", "GpuRow.kind", "GpuRow.power_scope", "GpuRow.placed_by", "GpuRow.uuid", "Figure.marks"),
        *("AlertRow.state", "AlertRow.severity", "AlertRow.status", "AlertRow.key", "DeploymentRow.key"),
        *("ServerRow.layer", "ServerRow.role", "ServerRow.moves", "ServerRow.per_token", "ServerRow.slo_verdict"),
        *("Totals.slo_verdict", "PointRow.side", "PointRow.frontiers", "PointRow.mix", "CapacityRow.mix"),
        *("CapacityRow.capacity_source", "Economy.energy_basis", "TokenCosts.split_by", "Facility.host"),
        *("OperatingPast.mix", "GpuHistory.states", "GpuHistory.state_ms", "Prices.currency", "Paid.spent"),
    }
)
# Made by the dashboard itself, never read: what was asked for, and the formula that its numbers are put into.
OWN: Final = frozenset(
    {"FigurePath.of", "FigurePath.field", "FigurePath.key", "Quantity.formula", "Quantity.parts", "Provenance.path"}
)


def _many() -> Snapshot:
    """As many rows of each kind as there are attacks, so that every field of a row meets every attack."""
    count = range(len(HOSTILE))
    return replace(
        MONEY_BOX,
        gpus=tuple(replace(EVERYTHING.gpus[i % 8], index=i, entity=10 + i, mig=("1g.10gb",) * 2) for i in count),
        strip=tuple(replace(BOX.strip[i % 8], index=i, entity=10 + i) for i in count),
        servers=tuple(replace(BOX.servers[i % 3], entity=2 + i) for i in count),
        alerts=tuple(replace(EVERYTHING.alerts[i % 5], key=f"{EVERYTHING.alerts[i % 5].key}{i}") for i in count),
        probes=tuple(BOX.probes[i % 3] for i in count),
        engines=BOX.engines,
        problems=("",) * len(HOSTILE),
        capacity=(*BOX.capacity, *MONEY_BOX.capacity[2:]),
    )


def hostile_box(spared: Collection[str] = ()) -> Snapshot:
    """A box whose every text attacks, as if nobody had cleaned it at the door."""
    box: Snapshot = Poison(HOSTILE, spared).within(_many())
    return box


def boxes() -> tuple[Snapshot, Snapshot, Snapshot]:
    """Live and in the past with what steers left as it is; and with nothing left as it is, which is in the past too."""
    live = hostile_box(STEERING)
    assert live.mode == "live"
    return live, replace(live, mode="paused"), hostile_box()


def hostile_marks() -> tuple[Mark, ...]:
    """Every kind with every attack, over the last hours."""
    poison = Poison(HOSTILE, {"Mark.kind"})
    each = [(kind, state) for state in ("parked", "") for kind in KINDS for _ in HOSTILE]
    step_ms = 10_800_000 // len(each)
    marks = [Mark(NOW_MS - (i + 1) * step_ms, kind, "", state, 60_000 * i) for i, (kind, state) in enumerate(each)]
    return tuple(poison.within(mark) for mark in reversed(marks))


def hostile_windows(end_ms: int, length_ms: int) -> WindowFigures:
    """Both sides of a comparison."""
    found: WindowFigures = Poison(HOSTILE).within(windows(end_ms, length_ms))
    return found


def answer_type(question: type[object]) -> Any:
    """What a question's answer is declared to be."""
    unloaded = {"History": object, "Prices": Prices}  # known to type checkers only
    return get_type_hints(question.answer, localns=unloaded)["return"]  # type: ignore[attr-defined]


def poisoned_answer(question: object, poison: Poison) -> object:
    """The answer about the box, poisoned."""
    return poison.of(ANSWERS[type(question)](question), answer_type(type(question)), "answer")


def texts_filled_by_type(question: type[object]) -> set[str]:
    """ "Struct.field" of what is poisoned in answers that are made from their declared type alone, in all its ways."""
    hint, filled = answer_type(question), set()
    for turn in range(_MOST_WAYS):
        poison = Poison(HOSTILE, OWN, turn=turn)
        poison.of(made(hint, turn), hint, "answer")
        filled |= poison.filled
    return filled
