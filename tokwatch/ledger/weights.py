"""By what the energy and the dollars of a GPU that several deployments share are divided among them."""

from __future__ import annotations

from typing import TypeVar

_Amount = TypeVar("_Amount", int, float)


def token_weight(prompt: _Amount, output: _Amount) -> _Amount:
    """The weight of a deployment's tokens (prompt: cached ones included), or of its tokens a second.

    Without a list of token prices every token weighs the same.
    """
    return prompt + output
