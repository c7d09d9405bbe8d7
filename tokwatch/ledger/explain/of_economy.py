"""Figures of the money of some GPUs and their tokens: the box's, or a deployment's."""

from __future__ import annotations

from typing import Final

from tokwatch.ledger.explain.explained import Explained
from tokwatch.ledger.explain.of_devices import PRICE
from tokwatch.ledger.explain.of_earnings import EARNS, REQUEST
from tokwatch.ledger.explain.of_money import COST, OUTPUT, PER_TOKEN, TOKENS, TOTAL

ECONOMY: Final = {
    **COST,
    **PER_TOKEN,
    **EARNS,
    **REQUEST,
    "output_tok_s": Explained(
        "output",
        "tok/s",
        "made_tok_s",
        "Output tokens a second of the servers on these GPUs, each token once.",
        rule="output tokens ÷ seconds covered, of each server, added up",
        reads=("output_tokens",),
    ),
    "requests_s": Explained(
        "requests",
        "requests/s",
        "finished_s",
        "Requests a second that finished, each once.",
        rule="finished requests ÷ seconds covered, of each server, added up",
        reads=("finished",),
    ),
    "board_w": Explained(
        "board power",
        "W",
        "drawn_w",
        "Mean watts over the stretch that the tokens came in, from the energy counter.",
        rule="joules drawn ÷ seconds measured, of each GPU, added up",
        reads=("energy_mj",),
    ),
    "facility_w": Explained(
        "power at the building's meter",
        "W",
        "metered_w",
        "Boards, the host's share and PUE, as far as the configuration names them.",
        rule="(board + host's share) × PUE, of each GPU, added up",
        reads=("energy_mj",),
        change=("[prices.facility]",),
    ),
    "usd_per_kwh": Explained(
        "price of electricity",
        "$/kWh",
        "kwh_price",
        "The tariff in force now.",
        change=("[prices.electricity]",),
        over="now",
    ),
    "gco2e_per_hour": Explained(
        "carbon",
        "g CO2e/h",
        "facility_w / 1000 * grid_factor",
        "Kilowatts × the factor of the grid or of the contract.",
        terms={"facility_w": "facility_w"},
        reads=("energy_mj",),
        change=("[prices.carbon]", "[prices.facility]"),
    ),
    "tok_s_per_mw": Explained(
        "output of a megawatt",
        "tok/s/MW",
        "output_tok_s / (facility_w / 1e6)",
        "Output tokens a second over the megawatts drawn.",
        terms={**OUTPUT, "facility_w": "facility_w"},
        reads=("output_tokens", "energy_mj"),
    ),
    "j_per_output_token": Explained(
        "energy of an output token",
        "J",
        "board_w / output_tok_s",
        "Board joules over output tokens.",
        terms={**OUTPUT, "board_w": "board_w"},
        reads=("output_tokens", "energy_mj"),
    ),
    "against_api.tok_s": Explained(
        "break-even with an API",
        "tok/s",
        "total / 3600 / api_usd_per_m * 1e6",
        "From this many tokens a second of all kinds on, these GPUs are cheaper than the API.",
        terms=TOTAL,
        reads=TOKENS,
        change=("[[prices.api]]", *PRICE),
    ),
}
