"""For colour-blind eyes, light: blue, olive, brown red and purple, told apart by lightness as much as by hue."""

from __future__ import annotations

from msgspec.structs import replace

from tokwatch.dashboard.themes.light import LIGHT

COLOUR_BLIND_LIGHT = replace(
    LIGHT,
    work="#1c4fd0",
    work_past="#8aa5e6",
    waste="#876500",
    waste_fill="#a87e00",
    alarm="#661f00",
    ui="#661088",
    text="#1b1f24",
    waste_tint="#f7ecd0",
    work_tint="#e2e9fa",
    ui_tint="#f0e2f6",
)
