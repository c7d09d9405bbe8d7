"""High contrast: black and white, and hues that keep 7 : 1 on black, the enhanced level of WCAG 2."""

from __future__ import annotations

from tokwatch.dashboard.themes.palette import Palette

CONTRAST = Palette(
    work="#00e5c8",
    work_past="#00a48f",
    waste="#ffc400",
    waste_fill="#ffc400",
    alarm="#ff7a7a",
    ui="#8ec5ff",
    bright="#ffffff",
    text="#ffffff",
    quiet="#d0d0d0",
    faint="#a8a8a8",
    s0="#6a6a6a",
    s1="#8a8a8a",
    s2="#b8b8b8",
    s3="#e0e0e0",
    track="#404040",
    rule="#808080",
    bg="#000000",
    surface="#1a1a1a",
    selected="#333333",
    waste_tint="#332700",
    work_tint="#002e28",
    ui_tint="#0a2f57",
)
