"""The terminal's own colours by their names: fits the scheme that the user gave it, dark or light.

Text is never bright_black, which is the very ground in Solarized, nor plain blue, which on black nobody can read.
There is one ground: which others would suit is not known.
"""

from __future__ import annotations

from tokwatch.dashboard.themes.palette import Palette

ANSI = Palette(
    work="cyan",
    work_past="cyan",
    waste="yellow",
    waste_fill="yellow",
    alarm="bright_red",
    ui="bright_blue",
    bright="bold default",
    text="default",
    quiet="default",
    faint="default",
    s0="bright_black",
    s1="bright_black",
    s2="default",
    s3="default",
    track="bright_black",
    rule="bright_black",
    bg="default",
    surface="default",
    selected="reverse",
    waste_tint="default",
    work_tint="default",
    ui_tint="reverse",
)
