"""What a token takes in energy and carbon. Beside each figure say whose joules (boards, facility) and which tokens."""

from __future__ import annotations

import math

from tokwatch.ledger.economics.arithmetic import cost_each, ratio

J_PER_KWH = 3.6e6
J_PER_WH = 3600.0
W_PER_MW = 1e6
# Published figures run from 0.12 J per output token (ML.ENERGY v3.0, an 8B model) to about 13 (DeepSeek-R1, 8k in and
# 1k out, InferenceX): one far outside is a GPU's joules over another's tokens, or milli-units taken for units.
PLAUSIBLE_J_PER_OUTPUT_TOKEN = (0.01, 100.0)


def tok_per_j(tokens: float | None, energy_j: float | None) -> float | None:
    """Tokens per joule, which is tok/s per W; both amounts of one window, or tok/s and W. None without energy."""
    return ratio(tokens, energy_j)


def j_per_token(energy_j: float | None, tokens: float | None) -> float | None:
    """Joules per token; infinite for energy without tokens."""
    return cost_each(energy_j, tokens)


def tok_s_per_mw(tokens: float | None, energy_j: float | None) -> float | None:
    """tok/s per MW drawn: 10⁶ × tokens per joule (InferenceX: tok/s per GPU × 1000 ÷ kW per GPU, on provisioned kW)."""
    each = tok_per_j(tokens, energy_j)
    return None if each is None else each * W_PER_MW


def wh_per_request(energy_j: float | None, requests: float | None) -> float | None:
    """Wh per request; infinite for energy without requests."""
    each = cost_each(energy_j, requests)
    return None if each is None else each / J_PER_WH


def facility_kwh(board_kwh: float | None, host_kwh: float | None, pue: float | None) -> float | None:
    """kWh that the site's meter sees: (boards + hosts) × PUE (ISO/IEC 30134-2); there is no default for either."""
    if board_kwh is None or host_kwh is None or pue is None:
        return None
    return (board_kwh + host_kwh) * pue


def gco2e(energy_kwh: float | None, g_per_kwh: float | None) -> float | None:
    """Grams of CO₂ equivalent: kWh × the factor of the grid or of the contract."""
    return None if energy_kwh is None or g_per_kwh is None else energy_kwh * g_per_kwh


def plausible(j_per_output_token: float | None) -> bool:
    """False when board joules per output token hint at a wiring fault: a wrong map of GPUs to servers, or milli-units.

    Give it joules of serving time: idle ones belong to no token. Unknown and infinite (no token at all) say nothing.
    """
    if j_per_output_token is None or j_per_output_token == math.inf:
        return True
    low, high = PLAUSIBLE_J_PER_OUTPUT_TOKEN
    return low <= j_per_output_token <= high
