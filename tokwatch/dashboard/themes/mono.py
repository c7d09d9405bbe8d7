"""Without colours: bold, underline and reverse only. The empty part of a bar is left blank."""

from __future__ import annotations

from tokwatch.dashboard.themes.palette import Palette

MONO = Palette(
    work="default",
    work_past="default",
    waste="bold default",
    waste_fill="bold default",
    alarm="bold reverse default",
    ui="underline default",
    bright="bold default",
    text="default",
    quiet="default",
    faint="default",
    s0="default",
    s1="default",
    s2="default",
    s3="default",
    track="",
    rule="default",
    bg="default",
    surface="default",
    selected="reverse",
    waste_tint="default",
    work_tint="default",
    ui_tint="reverse",
)
