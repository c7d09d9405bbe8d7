"""Show: puts first sight on the terminal, where there is one that it can be painted on."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping

from tokwatch.first_sight import terminal
from tokwatch.first_sight.look import look_of
from tokwatch.first_sight.lookup import kept_frame, likely_store
from tokwatch.first_sight.paint import header, paint


def can_draw() -> bool:
    """A terminal stands behind stdin, stdout and stderr, where Textual draws, and it is no dumb one."""
    dumb = os.environ.get("TERM", "dumb") == "dumb"
    return not dumb and all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr))


def ascii_only(*, asked: bool) -> bool:
    """No glyphs: asked for, or a locale that cannot show them."""
    return asked or "utf" not in (sys.stdout.encoding or "").lower()


def show(options: Mapping[str, str]) -> None:
    """Paints what was kept, or the header alone; nothing where no dashboard can be drawn."""
    if not can_draw():
        return
    width, height = os.get_terminal_size(sys.stderr.fileno())
    if width < 1 or height < 1:  # a terminal that does not say its size
        return
    kept = kept_frame(likely_store(options.get("--store")))
    if kept is not None and kept.look == look_of(options, os.environ):
        terminal.enter(paint(kept, width, height, time.time()))
    else:
        light, plain = "--light" in options, ascii_only(asked="--ascii" in options)
        terminal.enter(header(width, os.environ, light=light, ascii_only=plain))
