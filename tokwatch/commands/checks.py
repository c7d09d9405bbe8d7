"""What doctors print: a line a check, or JSON, and the exit code that follows from them."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from tokwatch.exits import Exit

Verdict = Literal["pass", "warn", "fail"]
_TEXT_AT = 38  # column
_NARROWEST = 30  # cells: a narrower column of text is not worth wrapping


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at. `id` is stable: scripts may rely on it."""

    id: str
    verdict: Verdict
    found: str
    hint: str = ""


def print_checks(checks: Sequence[Check], *, as_json: bool) -> None:
    """One line a check, for grep; on a terminal what is longer than a line goes on below, under its own column."""
    if as_json:
        print(json.dumps([asdict(check) for check in checks], indent=1))
        return
    room = shutil.get_terminal_size().columns - _TEXT_AT if sys.stdout.isatty() else None
    if room is not None and room < _NARROWEST:
        room = None
    for check in checks:
        first, *more = [*_wrapped(check.found, room), *_wrapped(check.hint, room, "→ ")] or [""]
        print(f"{f'{check.verdict.upper():<5} {check.id}  ':<{_TEXT_AT}}{first}")
        for line in more:
            print(f"{'':<{_TEXT_AT}}{line}")


def exit_code(checks: Sequence[Check]) -> Exit:
    return Exit.FAILED if any(check.verdict == "fail" for check in checks) else Exit.DONE


def _wrapped(text: str, room: int | None, mark: str = "") -> list[str]:
    if room is None or not text:
        return [mark + text] if text else []
    return textwrap.wrap(text, room, initial_indent=mark, subsequent_indent=" " * len(mark), break_on_hyphens=False)
