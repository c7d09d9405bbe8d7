"""For colour-blind eyes, dark: blue, sand, vermilion and violet, as far apart as they can be for every kind of eye.

Hues after Okabe and Ito's set; lightness and saturation were searched for the largest least distance between any two
under simulated protanopia, deuteranopia and tritanopia: ΔE 28 here, 12 with the dark palette.
"""

from __future__ import annotations

from msgspec.structs import replace

from tokwatch.dashboard.themes.dark import DARK

COLOUR_BLIND_DARK = replace(
    DARK,
    work="#3297c4",
    work_past="#2a6b88",
    waste="#f2c179",
    waste_fill="#f2c179",
    alarm="#ff4514",
    ui="#bf5cff",
    waste_tint="#2a2418",
    work_tint="#10212b",
    ui_tint="#2a1a38",
)
