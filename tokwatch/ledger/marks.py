"""What the marks of figures mean, and how each is written: one table for the screens, the plain table and the help."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple


class Mark(NamedTuple):
    """How a mark is written, and what it says."""

    sign: str
    meaning: str


FEW = Mark("few", "under 100 tokens in the window: true, but not worth comparing")  # a word, beside the figure
# One cell right before the figure.
SIGNS: Mapping[str, Mark] = {
    "stale": Mark("?", "its server does not answer now: as it was last told"),
    "part": Mark("*", "some of what belongs to it is unknown and left out"),
    "long": Mark("«", "over the last five minutes: its engine counts tokens when a request ends"),
    "allocated": Mark("÷", "rests on GPUs that several servers share, divided by their tokens"),
    "est": Mark("~", "estimated: energy added up from power samples, a share within a bucket"),
}
# Whose the watts of a whole column are: in its heading.
SCOPES: Mapping[str, Mark] = {
    "module": Mark("MOD. W", "watts of a whole superchip module, its processor included"),
    "package": Mark("CPU W", "watts of the processor packages alone: no fans, no disks, no supply losses"),
}
MARKS: Mapping[str, Mark] = {"few": FEW, **SIGNS, **SCOPES}


def signs(marks: Iterable[str]) -> str:
    """What stands right before the figure."""
    borne = frozenset(marks)
    if not borne:  # nearly always, and asked for at every figure that is drawn
        return ""
    return "".join(mark.sign for name, mark in SIGNS.items() if name in borne)
