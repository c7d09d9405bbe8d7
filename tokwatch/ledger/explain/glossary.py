"""What the names in formulas are called, with units: those that are no figures of a Snapshot themselves."""

from __future__ import annotations

from typing import Final, NamedTuple


class Word(NamedTuple):
    """A name of a formula in words."""

    words: str
    unit: str


GLOSSARY: Final = {
    # counted on servers' pages
    "output_tokens": Word("output tokens", "tokens"),
    "prompt_tokens": Word("prompt tokens", "tokens"),
    "cached_tokens": Word("cached prompt tokens", "tokens"),
    "finished": Word("finished requests", "requests"),
    "covered_s": Word("seconds covered", "s"),
    "kv_permyriad": Word("KV cache in use, ten-thousandths", "‱"),
    # measured of devices
    "energy_j": Word("joules drawn", "J"),
    "measured_s": Word("seconds measured", "s"),
    "power_mw": Word("milliwatts", "mW"),
    "limit_mw": Word("limit in milliwatts", "mW"),
    "permille": Word("thousandths", "‰"),
    "memory_mib": Word("MiB", "MiB"),
    "clock_mhz": Word("megahertz", "MHz"),
    "degrees_c": Word("degrees", "°C"),
    # rates made of these
    "made_tok_s": Word("output of its servers", "tok/s"),
    "sharing_gpus": Word("GPUs they are on", "GPUs"),
    "its_tok_s": Word("its share of its servers' output", "tok/s"),
    "output_tok_s": Word("output", "tok/s"),
    "placed_tok_s": Word("output of servers on GPUs", "tok/s"),
    "placed_all_tok_s": Word("prompt and output of servers on GPUs", "tok/s"),
    "unplaced_output_tok_s": Word("output of servers on no GPU", "tok/s"),
    "prompt_tok_s": Word("prompt", "tok/s"),
    "cached_tok_s": Word("cached prompt", "tok/s"),
    "uncached_tok_s": Word("prompt that was not cached", "tok/s"),
    "accepted_tok_s": Word("accepted draft tokens", "tok/s"),
    "weighted_tok_s": Word("tokens by weight", "tok/s"),
    "cheaper_tok_s": Word("cached tokens × how much less they weigh than input", "tok/s"),
    "finished_s": Word("finished requests", "requests/s"),
    "drawn_w": Word("watts over the same stretch", "W"),
    "provisioned_w": Word("power limits", "W"),
    # prices
    "price": Word("price of a GPU hour", "$/h"),
    "metered_w": Word("watts at the building's meter", "W"),
    "kwh_price": Word("price of electricity", "$/kWh"),
    "grid_factor": Word("carbon of a kilowatt-hour", "g/kWh"),
    "own_usd_per_hour": Word("cost of its GPUs", "$/h"),
    "busy_usd_per_hour": Word("cost of GPUs that are not idle", "$/h"),
    "spent_usd": Word("hours × price, under each price version", "$"),
    "state_spent_usd": Word("hours × price, under each price version", "$"),
    "part_usd_per_hour": Word("that part of every GPU's price", "$/h"),
    "idle_part_usd_per_hour": Word("cost of idle GPUs", "$/h"),
    "prefill_usd_per_hour": Word("cost of prefill GPUs", "$/h"),
    "decode_usd_per_hour": Word("cost of decode GPUs", "$/h"),
    "input_weight": Word("weight of an input token", ""),
    "cached_weight": Word("weight of a cached token", ""),
    "output_weight": Word("weight of an output token", ""),
    "sold_usd_per_hour": Word("tokens × list price", "$/h"),
    "tasks_usd_per_hour": Word("requests × value of a task", "$/h"),
    "api_usd_per_m": Word("the API's price of this mix", "$/M"),
    # of tokwatch itself
    "cpu_s": Word("CPU seconds", "s"),
    "watched_s": Word("seconds watched", "s"),
    "memory_kib": Word("KiB", "KiB"),
    "left_out": Word("turns left out", "ticks"),
    "page_bytes": Word("bytes of pages", "bytes"),
}
