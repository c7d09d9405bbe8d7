"""Paint: a kept frame, or the header alone, as what puts it on a terminal of some size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tokwatch.first_sight.kept import KeptFrame, Run

# Page, header, the name in it and words in it, in the dashboard's dark and light theme, as truecolor SGR parameters.
DARK = ("48;2;14;18;23", "48;2;21;27;34", "1;38;2;255;255;255;48;2;21;27;34", "38;2;143;154;167;48;2;21;27;34")
LIGHT = ("48;2;251;250;247", "48;2;241;239;233", "1;38;2;0;0;0;48;2;241;239;233", "38;2;92;100;109;48;2;241;239;233")
_PLAIN = ("", "", "1", "")
_AFTER_MODE = 12  # columns from the end of the mode to the end of the header


def paint(frame: KeptFrame, width: int, height: int, now_s: float) -> str:
    """What fits of the frame, from its top left, with its age."""
    rows = [_row(runs, frame.styles, width) for runs in frame.rows[:height]]
    age = f" {age_text(now_s - frame.wall_ms / 1000)} old, warming up"
    begin = frame.age_end - len(age)
    if begin > 0 and frame.age_end <= width:
        sign, words = (frame.styles[style] for style in frame.age_styles)
        rows[0] += f"\x1b[{begin}G{_styled(frame.age_sign, sign)}{_styled(age, words)}"
    return _placed(rows, frame.styles[0])


def header(width: int, environment: Mapping[str, str], *, light: bool, ascii_only: bool) -> str:
    """What the dashboard shows before anything was measured: its name, and that it warms up."""
    page, ground, name, words = (LIGHT if light else DARK) if _has_all_colours(environment) else _PLAIN
    told = f"{'-' if ascii_only else '–'} warming up"
    blank = " " * max(1, width - _AFTER_MODE - len(told) - len(" tokwatch"))
    row = ((0, " tokwatch"), (1, blank), (2, told), (1, " " * _AFTER_MODE))
    return _placed([_row(row, (name, ground, words), width)], page)


def age_text(length_s: float) -> str:
    """12s, 41m, 2h 05m, 3d 4h: as the live screen writes it."""
    whole = max(0, int(length_s))
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m"
    if whole < 86_400:
        return f"{whole // 3600}h {whole % 3600 // 60:02d}m"
    both = f"{whole // 86_400}d {whole % 86_400 // 3600}h"
    return both if len(both) <= 7 else f"{whole // 86_400}d"


def _has_all_colours(environment: Mapping[str, str]) -> bool:
    said = environment.get("COLORTERM", "").strip().lower() in ("truecolor", "24bit")
    return said and not environment.get("NO_COLOR") and not environment.get("STY")


def _row(runs: Sequence[Run], styles: Sequence[str], width: int) -> str:
    room, parts = width, []
    for style, text in runs:
        parts.append(_styled(text[:room], styles[style]))
        room -= len(text)
        if room <= 0:
            break
    return "".join(parts)


def _styled(text: str, codes: str) -> str:
    return f"\x1b[0;{codes}m{text}" if codes else f"\x1b[0m{text}"


def _placed(rows: Sequence[str], page: str) -> str:
    """Every row at its place, on a page of one colour."""
    return _styled("\x1b[2J", page) + "".join(f"\x1b[{y};1H{row}" for y, row in enumerate(rows, 1)) + "\x1b[0m"
