"""A formula as data: one text that can be read in words, filled in with numbers, and computed."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final

_SIGNS: Final[dict[type[ast.operator], tuple[str, int, Callable[[float, float], float]]]] = {
    ast.Add: (" + ", 1, lambda a, b: a + b),
    ast.Sub: (" − ", 1, lambda a, b: a - b),
    ast.Mult: (" × ", 2, lambda a, b: a * b),
    ast.Div: (" ÷ ", 2, lambda a, b: a / b),
}
_NUMBER = 3  # binds closer than any sign
_CONSTANTS: Final = {1e6: "10⁶"}


class Formula:
    """Names, numbers, + − × ÷ and brackets, written as Python writes them: "usd / (tok_s * 3600) * 1e6"."""

    def __init__(self, text: str) -> None:
        """Raises SyntaxError or ValueError on anything else."""
        self.text = text
        self._tree = ast.parse(text, mode="eval").body
        self.names = tuple(dict.fromkeys(_names(self._tree)))

    @property
    def bare(self) -> bool:
        """It is one name, with nothing to compute."""
        return isinstance(self._tree, ast.Name)

    def value(self, values: Mapping[str, float]) -> float:
        """What it comes to; infinite or NaN never: a division by zero raises ZeroDivisionError."""
        return _value(self._tree, values)

    def written(self, words: Mapping[str, str]) -> str:
        """With something else in the place of each name: words, or numbers with their units."""
        return _written(self._tree, words)[0]


@lru_cache(maxsize=512)
def formula(text: str) -> Formula:
    """The formula of a text, read once."""
    return Formula(text)


def _names(node: ast.expr) -> list[str]:
    if isinstance(node, ast.BinOp) and type(node.op) in _SIGNS:
        return _names(node.left) + _names(node.right)
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return []
    raise ValueError(f"a formula holds names, numbers, + - * / and brackets, not {ast.unparse(node)!r}")


def _value(node: ast.expr, values: Mapping[str, float]) -> float:
    if isinstance(node, ast.BinOp):
        return _SIGNS[type(node.op)][2](_value(node.left, values), _value(node.right, values))
    return values[node.id] if isinstance(node, ast.Name) else _constant(node)


def _constant(node: ast.expr) -> float:
    assert isinstance(node, ast.Constant)
    assert isinstance(node.value, int | float)
    return node.value


def _written(node: ast.expr, words: Mapping[str, str]) -> tuple[str, int]:
    """The text, and how closely its outermost sign binds."""
    if isinstance(node, ast.Name):
        return words[node.id], _NUMBER
    if not isinstance(node, ast.BinOp):
        number = _constant(node)
        return _CONSTANTS.get(number, f"{number:,}".replace(",", " ")), _NUMBER
    sign, binds, _ = _SIGNS[type(node.op)]
    left, left_binds = _written(node.left, words)
    right, right_binds = _written(node.right, words)
    if left_binds < binds:
        left = f"({left})"
    # a ÷ (b × c) and a − (b + c) need their brackets; without them the reader goes from left to right.
    if right_binds < binds or (right_binds == binds and isinstance(node.op, ast.Div | ast.Sub)):
        right = f"({right})"
    return f"{left}{sign}{right}", binds
