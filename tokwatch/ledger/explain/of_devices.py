"""Figures of GPUs, of the strip of their states, of alerts, and of what tokwatch itself costs."""

from __future__ import annotations

from typing import Final

from tokwatch.ledger.explain.explained import Every, Explained

PRICE: Final = ("[prices] usd_per_gpu_hour", "[[prices.terms]]")
SERVED: Final = ("[[servers]] gpus",)  # which GPUs a server is on

GPU: Final = {
    "tok_s": Explained(
        "output",
        "tok/s",
        "its_tok_s",
        "Output tokens a second that this GPU's servers made, shared out evenly over the GPUs each server is on.",
        rule="output of its servers ÷ the GPUs they are on",
        reads=("output_tokens",),
        change=SERVED,
    ),
    "tok_per_j": Explained(
        "output tokens per watt",
        "tok/s/W",
        "output_tok_s / drawn_w",
        "Output tokens a second per watt of board power, which is output tokens per joule.",
        reads=("output_tokens", "energy_mj"),
        change=SERVED,
    ),
    "usd_per_m_output": Explained(
        "cost of a million output tokens",
        "$/M",
        "own_usd_per_hour / (output_tok_s * 3600) * 1e6",
        "What a million output tokens cost at the present rate and the present price; ∞ at cost without tokens.",
        reads=("output_tokens",),
        change=(*PRICE, *SERVED),
    ),
    "idle_usd_today": Explained(
        "paid for idle time today",
        "$",
        "spent_usd",
        "Hours in idle states since local midnight, each at the price that was in force; metered electricity apart.",
        change=PRICE,
        over="today",
    ),
    "state_usd": Explained(
        "cost of the present state so far",
        "$",
        "state_spent_usd",
        "Of a state that is paid for in vain: the hours since it began, each at the price that was in force; metered "
        "electricity apart.",
        change=PRICE,
        over="state",
    ),
    "usd_per_hour": Explained(
        "price of an hour",
        "$/h",
        "price",
        "Rent, or depreciation and its parts; with electricity at the present draw where that is paid for by itself.",
        change=(*PRICE, "[prices.electricity]", "[prices.facility]"),
        over="now",
    ),
    "power_w": Explained(
        "power",
        "W",
        "power_mw / 1000",
        "What the device drew when it was last read, as its meter says; ratios use the energy counter instead.",
        reads=("power_w",),
        over="now",
    ),
    "power_limit_w": Explained(
        "power limit",
        "W",
        "limit_mw / 1000",
        "The limit that the driver enforces.",
        reads=("power_limit_w",),
        over="now",
    ),
    "utilization": Explained(
        "utilisation",
        "share",
        "permille / 1000",
        "Share of the driver's last sample in which any kernel ran: one small kernel makes it 100 %.",
        reads=("utilization",),
        over="now",
    ),
    "memory_used_gib": Explained(
        "memory in use", "GiB", "memory_mib / 1024", "Device memory that is taken.", reads=("memory_used",), over="now"
    ),
    "memory_total_gib": Explained(
        "memory", "GiB", "memory_mib / 1024", "Device memory in all.", reads=("memory_total",), over="now"
    ),
    "temperature_c": Explained(
        "temperature", "°C", "degrees_c", "Of the chip, as the driver says.", reads=("temperature_c",), over="now"
    ),
    "memory_temperature_c": Explained(
        "memory temperature", "°C", "degrees_c", "Of the device memory.", reads=("memory_temperature_c",), over="now"
    ),
    "tensor_activity": Explained(
        "tensor activity",
        "share",
        "permille / 1000",
        "Share of cycles in which the tensor pipes were busy.",
        reads=("tensor_activity",),
        over="now",
    ),
    "dram_activity": Explained(
        "memory activity",
        "share",
        "permille / 1000",
        "Share of cycles in which the device memory moved data.",
        reads=("dram_activity",),
        over="now",
    ),
    "sm_clock_mhz": Explained(
        "clock",
        "MHz",
        "clock_mhz",
        "Of the streaming multiprocessors when it was last read.",
        reads=("sm_clock_mhz",),
        over="now",
    ),
    "processes": Explained(
        "processes",
        "",
        "",
        "Compute processes on it.",
        rule="as the driver lists them",
        reads=("processes",),
        over="now",
    ),
}

STRIP: Final = {
    "idle_usd": Explained(
        "paid for idle time on the strip",
        "$",
        "spent_usd",
        "Hours in idle states within the strip's three hours, each at the price that was in force.",
        change=PRICE,
        over="strip",
    ),
}

ALERT: Final = {
    "usd_so_far": Explained(
        "cost of this alert so far",
        "$",
        "spent_usd",
        "Hours that its GPUs spent in the state since it began, each at the price that was in force.",
        change=(*PRICE, "[[alerts]]"),
        over="alert",
    ),
    "usd_per_hour": Explained(
        "cost of this alert an hour",
        "$/h",
        "own_usd_per_hour",
        "The price of an hour of the GPUs that are in the state now.",
        change=PRICE,
        over="now",
    ),
    "usd_per_day": Explained(
        "cost of this alert a day",
        "$/day",
        "usd_per_hour * 24",
        "What a day costs if it stays as it is.",
        terms={"usd_per_hour": "usd_per_hour"},
        change=PRICE,
        over="now",
    ),
}

SELF: Final = {
    "cpu_share": Explained(
        "CPU of tokwatch",
        "share",
        "cpu_s / watched_s",
        "Share of one core that watching takes.",
        change=("interval_s",),
    ),
    "rss_mib": Explained(
        "memory of tokwatch", "MiB", "memory_kib / 1024", "Resident memory of the recorder.", over="now"
    ),
    "late_ticks": Explained(
        "ticks left out",
        "ticks",
        "left_out",
        "Turns of the recorder in the last minute that were not taken, because those before them took too long.",
        change=("interval_s",),
    ),
    "scraped_bytes_s": Explained(
        "read from servers",
        "bytes/s",
        "page_bytes / watched_s",
        "Bytes of the pages that servers were asked for.",
        change=("interval_s",),
    ),
}

SNAPSHOT: Final = {
    "strip_idle_usd": Explained(
        "paid for idle time on the strip, all GPUs",
        "$",
        "strips",
        "The rows of the strip added up.",
        terms={"strips": Every("strip", "idle_usd")},
        change=PRICE,
        over="strip",
    ),
}
