"""What colour-blind eyes see, after Machado, Oliveira and Fernandes (2009), at full severity."""

from __future__ import annotations

import math

from tokwatch.dashboard.themes.colours import lab_of_light, linear

USUAL = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
EYES = {
    "usual": USUAL,
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.01182, 0.04294, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.3039)),
}


def distance(one: str, other: str, eye: str) -> float:
    """ΔE*ab of two colours as an eye sees them; 20 and more are plainly two colours."""
    return math.dist(_seen(one, eye), _seen(other, eye))


def _seen(colour: str, eye: str) -> tuple[float, float, float]:
    light = linear(colour)
    red, green, blue = (
        min(1.0, max(0.0, sum(weight * part for weight, part in zip(row, light, strict=True)))) for row in EYES[eye]
    )
    return lab_of_light((red, green, blue))
