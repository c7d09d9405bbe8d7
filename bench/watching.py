"""What watching costs: start, CPU, memory and bytes to the terminal, beside an empty Textual app, nvitop and Python.

Run it from a checkout with the dev extra installed and a C compiler:

    python bench/watching.py [--rounds 5] [--seconds 20] [--quick]

Each program runs in a 120×40 terminal of its own (a pty that is read and timed here), one after the other, round by
round, so that all see the same machine. GPUs are the tests' NVML stub with 8 devices; tokwatch also scrapes two vLLM
pages a second, which a separate process serves, and records. It is started once before the rounds, so that its store
holds what first sight shows. Medians are printed, and medians of each round's ratio to what the goal compares with;
a shared machine makes single figures worthless.

first paint   from exec until the kept frame's age has come out of the pty; bare Python: until `-c pass` has ended
first frame   until the home screen is whole as Textual draws it; of the others, until their text has come
live figures  until that frame shows what was measured now
CPU           user + system time of the process over the steady seconds, share of one core
memory        Rss and Pss at the end of them
bytes/s       what came out of the pty in them
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from bench.stub_box import StubBox, stub_box
from bench.terminal import Terminal

SETTLE_S = 12.0  # the scan, the imports and the first window are over by then
TEXTUAL_BEGINS = b"\x1b[?1000h"  # it asks for the mouse: what comes before is first sight
LAST_TAB = b"Sources"  # in the last row

EMPTY_APP = """
from textual.app import App
from textual.widgets import Static
class Empty(App):
    def compose(self):
        yield Static("nothing to see")
Empty().run()
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """One run of one program. None: it has no such thing."""

    first_paint_s: float | None
    first_frame_s: float
    live_figures_s: float | None
    cpu_share: float | None = None
    rss_mb: float | None = None
    pss_mb: float | None = None
    bytes_s: float | None = None


def watch_python(box: StubBox) -> Seen:
    """`python -c pass`, to its end."""
    with Terminal([sys.executable, "-c", "pass"], box.environment) as terminal:
        ended_s = terminal.ended()
    return Seen(ended_s, ended_s, None)


def watch_other(box: StubBox, command: Sequence[str], text: bytes, seconds: float) -> Seen:
    """A program whose first frame has `text` in it."""
    with Terminal(command, box.environment) as terminal:
        first_s = terminal.until(text)
        return _steady(terminal, Seen(first_s, first_s, None), seconds)


def watch_tokwatch(box: StubBox, seconds: float, *options: str) -> Seen:
    """The dashboard that records, on a store that one has recorded into before."""
    with Terminal(box.tokwatch(*options, store=_store(box, options)), box.environment) as terminal:
        paint_s = terminal.until(b"old, warming up")
        terminal.until(TEXTUAL_BEGINS)
        frame_s = terminal.until(LAST_TAB, after=terminal.out.index(TEXTUAL_BEGINS))
        live_s = terminal.until(b"LIVE")
        seen = _steady(terminal, Seen(paint_s, frame_s, live_s), seconds)
        terminal.type(b"q")
        terminal.ended()
    return seen


def keep_a_frame(box: StubBox, *options: str) -> None:
    """The store then holds what first sight shows of a start with these options."""
    with Terminal(box.tokwatch(*options, store=_store(box, options)), box.environment) as terminal:
        terminal.until(b"LIVE")
        terminal.read(2.0)
        terminal.type(b"q")
        terminal.ended()


def _store(box: StubBox, options: Sequence[str]) -> Path:
    return box.folder / f"store{''.join(options)}.db"


def _steady(terminal: Terminal, started: Seen, seconds: float) -> Seen:
    terminal.read(SETTLE_S)
    cpu_s = terminal.cpu_s()
    written = len(terminal.read(seconds))
    rss_mb, pss_mb = terminal.memory_mb()
    return Seen(
        started.first_paint_s,
        started.first_frame_s,
        started.live_figures_s,
        (terminal.cpu_s() - cpu_s) / seconds,
        rss_mb,
        pss_mb,
        written / seconds,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--quick", action="store_true", help="two rounds of five seconds, for a look")
    options = parser.parse_args()
    rounds, seconds = (2, 5.0) if options.quick else (options.rounds, options.seconds)
    with stub_box() as box:
        report(measured(box, rounds, seconds))


def measured(box: StubBox, rounds: int, seconds: float) -> dict[str, list[Seen]]:
    """Every program once a round; at least two rounds."""
    empty, nvitop = [sys.executable, "-c", EMPTY_APP], [sys.executable, "-m", "nvitop", "--interval", "1"]
    programs: dict[str, Callable[[], Seen]] = {
        "python -c pass": lambda: watch_python(box),
        "empty Textual app": lambda: watch_other(box, empty, b"nothing to see", seconds),
        "nvitop": lambda: watch_other(box, nvitop, b"NVITOP", seconds),
        "tokwatch": lambda: watch_tokwatch(box, seconds),
        "tokwatch --slow-link": lambda: watch_tokwatch(box, seconds, "--slow-link"),
    }
    keep_a_frame(box)
    keep_a_frame(box, "--slow-link")
    seen: dict[str, list[Seen]] = {name: [] for name in programs}
    for number in range(rounds):
        for name, watch in programs.items():
            seen[name].append(watch())
            print(f"round {number + 1}: {name}: {seen[name][-1]}", file=sys.stderr)
    return seen


def ratio(seen: dict[str, list[Seen]], field: str, other: str, others_field: str) -> float:
    """The median of each round's ratio of tokwatch to another program."""
    pairs = zip(seen["tokwatch"], seen[other], strict=True)
    ratios: list[float] = [getattr(ours, field) / getattr(theirs, others_field) for ours, theirs in pairs]
    return statistics.median(ratios)


def report(seen: dict[str, list[Seen]]) -> None:
    """A row a program, then the goals."""
    print(f"medians of {len(seen['tokwatch'])} rounds")
    print(f"{'':<22}" + "".join(f"{field.name:>16}" for field in fields(Seen)))
    for name, runs in seen.items():
        print(f"{name:<22}" + "".join(f"{_median(runs, field.name):>16}" for field in fields(Seen)))
    for words, found, goal in (
        ("first paint / bare Python", ratio(seen, "first_paint_s", "python -c pass", "first_paint_s"), 3.0),
        ("first frame / empty app", ratio(seen, "first_frame_s", "empty Textual app", "first_frame_s"), 1.5),
        ("CPU / nvitop", ratio(seen, "cpu_share", "nvitop", "cpu_share"), 2.0),
    ):
        print(f"{words:<40}{found:>8.2f}   goal {goal:g}")


def _median(runs: Sequence[Seen], name: str) -> str:
    known = [value for value in (getattr(run, name) for run in runs) if value is not None]
    return f"{statistics.median(known):.4g}" if known else "–"


if __name__ == "__main__":
    main()
