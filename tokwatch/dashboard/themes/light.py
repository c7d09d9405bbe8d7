"""The light palette: the dark one's hues, deep enough to be read on paper."""

from __future__ import annotations

from tokwatch.dashboard.themes.palette import Palette

LIGHT = Palette(
    work="#067a6a",
    work_past="#62aea2",
    waste="#9a4a00",
    waste_fill="#c76a00",
    alarm="#a80030",
    ui="#1a5cb8",
    bright="#000000",
    text="#24292f",
    quiet="#5c646d",
    faint="#858b92",
    s0="#c2c9d1",
    s1="#8d99a6",
    s2="#6c7a89",
    s3="#4b5866",
    track="#dfdbd1",
    rule="#d9d5cb",
    bg="#fbfaf7",
    surface="#f1efe9",
    selected="#e9e6de",
    waste_tint="#fcebcd",
    work_tint="#e0f1ed",
    ui_tint="#dfeafa",
)
