"""The dark palette: teal for work, amber for waste, red for what is wrong, blue for the program itself."""

from __future__ import annotations

from tokwatch.dashboard.themes.palette import Palette

DARK = Palette(
    work="#45c8b0",
    work_past="#2c7d72",
    waste="#f5a83d",
    waste_fill="#f5a83d",
    alarm="#ff4d6d",
    ui="#74b3ff",
    bright="#ffffff",
    text="#d5dce4",
    quiet="#8f9aa7",
    faint="#687482",
    s0="#3b4856",
    s1="#5b6b7e",
    s2="#8fa3ba",
    s3="#b9c8d8",
    track="#2a333d",
    rule="#27303a",
    bg="#0e1217",
    surface="#151b22",
    selected="#1a222b",
    waste_tint="#2b2011",
    work_tint="#10231f",
    ui_tint="#18283c",
)
