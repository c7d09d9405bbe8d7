"""Arithmetic of colours: luminance and contrast after WCAG 2, the CIE L*a*b* space."""

from __future__ import annotations

import math
from functools import cache
from typing import Final

Light = tuple[float, float, float]  # linear red, green and blue, each from 0 to 1
Lab = tuple[float, float, float]
_WEIGHTS: Final = (  # of sRGB in X, Y and Z
    (0.4124564, 0.3575761, 0.1804375),
    (0.2126729, 0.7151522, 0.072175),
    (0.0193339, 0.119192, 0.9503041),
)
_WHITE: Final = (0.95047, 1.0, 1.08883)  # D65


def linear(colour: str) -> Light:
    """Red, green and blue light of #rrggbb (sRGB, IEC 61966-2-1)."""
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return _light(red), _light(green), _light(blue)


def _weighed(weights: Light, light: Light) -> float:
    return weights[0] * light[0] + weights[1] * light[1] + weights[2] * light[2]


def _light(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4


@cache
def luminance(colour: str) -> float:
    """How light it is, from 0 to 1."""
    return _weighed(_WEIGHTS[1], linear(colour))


def contrast(one: str, other: str) -> float:
    """From 1 to 21; text wants 4.5 on its ground."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def lab_of_light(light: Light) -> Lab:
    """CIE L*a*b* under D65 of linear red, green and blue."""
    x, y, z = (_lab_curve(_weighed(row, light) / white) for row, white in zip(_WEIGHTS, _WHITE, strict=True))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def _lab_curve(part: float) -> float:
    return math.cbrt(part) if part > 216 / 24389 else (24389 / 27 * part + 16) / 116


@cache
def lab(colour: str) -> Lab:
    """CIE L*a*b* of #rrggbb. The distance of two is ΔE*ab: 2 is just noticed, 20 are plainly two colours."""
    return lab_of_light(linear(colour))
