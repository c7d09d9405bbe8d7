"""What to do about a figure that is unknown, by the reason that it gives."""

from __future__ import annotations

from typing import Final

from tokwatch.ledger.accounts import NOT_PLACED, OF_ANOTHER_USER
from tokwatch.ledger.capacity.capacity import NOT_LEARNT
from tokwatch.ledger.figures import NO_PRICE, WARMING_UP
from tokwatch.ledger.money.earnings import NO_API_PRICE, NO_CARBON, NO_VALUE
from tokwatch.ledger.money.rates import NO_TARIFF
from tokwatch.ledger.prices.token_prices import NO_TOKEN_PRICES
from tokwatch.ledger.slo import NO_REQUEST, NO_SLO, NOT_ON_PAGE

_ADVICE: Final = {
    NO_PRICE: "press $ and type the price of a GPU hour, or set [prices] usd_per_gpu_hour in config.toml",
    WARMING_UP: "wait: rates come with the second reading, ratios from ten seconds on",
    NO_SLO: "set limits in config.toml: [slo] ttft_s = 2.0, tpot_s = 0.05",
    NO_TARIFF: "set [prices.electricity] usd_per_kwh in config.toml",
    NO_CARBON: "set [prices.carbon] g_per_kwh in config.toml",
    NO_VALUE: "set [[prices.tasks]] in config.toml: what a request is worth to its user",
    NO_API_PRICE: "set [[prices.api]] in config.toml: what an API asks for this model",
    NO_TOKEN_PRICES: "set [[prices.tokens]] in config.toml: what tokens of this model are sold for",
    NOT_LEARNT: "wait for five minutes of load that meet the SLO, or declare it: [[capacity]] tok_s_per_gpu",
    NOT_ON_PAGE: "its page lacks the series: Sources (6) names what is missing, and what is lost without it",
    NO_REQUEST: "wait: it comes with the next request that ends",
    NOT_PLACED: "name its GPUs in config.toml: [[servers]] gpus = [0]; Sources (6) says what was tried",
    OF_ANOTHER_USER: "name it in config.toml with [[servers]] accept = true",
    "no tokens": "nothing to do: it comes with the next tokens",
    "nothing served": "no server is placed here; if one is, name its GPUs: [[servers]] gpus = [0]",
    "unsupported": "the device cannot tell it; Sources (6) says what reads it and what it lacks",
    "no permission": "run tokwatch as a user who may read it; `tokwatch doctor` says what is needed",
}


def advice(why: str) -> str:
    """One sentence; "" where nothing is known to help."""
    return next((text for reason, text in _ADVICE.items() if why == reason or why.startswith(f"{reason}:")), "")
