"""A money report as plain text of at most 100 cells a line; below it, why something is not known. No escape codes."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator

from collectors.labels import clean_label
from tokwatch.exports.money.report import Report, Statement
from tokwatch.exports.money_answers import answers
from tokwatch.exports.money_words import Words, amount, count, line, percent, quantity, short
from tokwatch.exports.table import columns
from tokwatch.ledger.economics.arithmetic import ratio
from tokwatch.ledger.figure import Figure
from tokwatch.ledger.figures import known

WIDTH = 100
_LINE_LIMIT = 4096
_PARTS = (
    ("rent", "rent_usd"),
    ("capital", "capex_usd"),
    ("operation", "opex_usd"),
    ("space", "space_usd"),
    ("electricity", "energy_usd"),
)


def money_table(report: Report) -> str:
    """The whole report; ends in a newline. Every text that comes from the store is cleaned."""
    words = Words()
    whole, currency = report.whole, report.currency
    blocks = [
        list(_heading(report)),
        [f"BILL ({currency})", *_bill(whole, words)],
        ["ENERGY", *_energy(whole, words)],
        [f"WHAT A TOKEN COST ({currency} per million tokens)", *_tokens(whole, words, currency)],
        ["A FINISHED REQUEST, ON AVERAGE", *_request(whole, words, currency)],
        [f"WHAT IT EARNED ({currency})", *_earned(whole, words)],
        [f"BY {report.by.upper()} ({currency})", *_rows(report, words)],
        *answers(report, words),
    ]
    blocks += [words.reasons, words.legend, list(report.notes)]
    return "\n\n".join("\n".join(map(_folded, block)) for block in blocks if block) + "\n"


def _folded(text: str) -> str:
    """At most WIDTH characters a line: words go to the next one, nothing is cut off."""
    cleaned = clean_label(text, _LINE_LIMIT)
    return cleaned if len(cleaned) <= WIDTH else textwrap.fill(cleaned, WIDTH, subsequent_indent="    ")


def _heading(report: Report) -> Iterator[str]:
    kind = "  SIMULATED" if report.simulated else ""
    gpus = f"{report.gpus} GPU{'s' * (report.gpus != 1)}"
    yield f"tokwatch money  {', '.join(report.hosts)}  {gpus}{kind}"
    yield f"{report.from_utc} to {report.to_utc}, {report.hours:.2f} h of it watched"
    for price in report.prices:
        told = f", restated: {price.reason}" if price.restates else ""
        yield f"price version {price.version}, from {price.effective_from} ({price.source}){told}"


def _bill(whole: Statement, words: Words) -> Iterator[str]:
    bill = whole.bill

    def of_total(value: float | None) -> str:
        share = ratio(value, bill.total_usd.value)
        return "" if share is None else percent(share)

    for label, name in _PARTS:
        part = getattr(bill, name)
        if part.value != 0:
            yield line(label, words.figure(label, part, amount), of_total(part.value))
    yield line("observed", words.figure("cost", bill.total_usd, amount), f"{amount(bill.gpu_hours)} GPU-hours")
    yield line("  of it idle", words.figure("idle", bill.idle_usd, amount), of_total(bill.idle_usd.value))
    for state in bill.idle_by_state:
        usd = words.figure(f"idle, {state.state}", state.usd, amount)
        yield line(f"    {state.state}", usd, f"{amount(state.gpu_hours)} GPU-hours")
    missed = f"{amount(bill.unobserved_gpu_hours)} GPU-hours that nobody watched"
    yield line("unobserved", words.figure("unobserved", bill.unobserved_usd, amount), missed)
    yield line("all", words.figure("bill", bill.invoice_usd, amount))
    tax = words.figure("idle tax", bill.idle_tax, percent)
    busy = words.figure("busy-only cost", bill.busy_usd, amount)
    yield line("idle tax", tax, f"all-in against busy-only {busy}")
    if bill.unpriced_gpu_hours or bill.unpriced_kwh:
        yield f"  without a price: {amount(bill.unpriced_gpu_hours)} GPU-hours, {quantity(bill.unpriced_kwh)} kWh"


def _basis(whole: Statement) -> str:
    """What "facility" covers here."""
    told = whole.energy.facility_basis
    return {"facility": "(boards + hosts) × PUE", "board × PUE": "boards × PUE", "board": "boards"}.get(told, told)


def _energy(whole: Statement, words: Words) -> Iterator[str]:
    energy = whole.energy
    yield line("boards", words.figure("board energy", energy.board_kwh, quantity), "kWh")
    basis = _basis(whole)
    if energy.facility_basis == "board":
        yield "  facility: no PUE and no host's share are set, so all energy is that of the boards"
    else:
        yield line("facility", words.figure("facility energy", energy.facility_kwh, quantity), f"kWh, {basis}")
    price = words.figure("price of electricity", energy.usd_per_kwh, amount)
    yield line("price, where paid for by itself", price, "per kWh, mean")
    yield line("CO2e", words.figure("CO2e", energy.co2e_kg, quantity), f"kg, {basis}: {energy.carbon}".rstrip(": "))
    each = words.figure("J per output token", energy.j_per_output_token_board, quantity)
    yield line("per output token", each, "J of the boards, idle ones included")
    per_mw = words.figure("tok/s per MW", energy.tok_s_per_mw_output, count)
    yield line("output tok/s per MW", per_mw, f"{basis}, drawn")
    if energy.implausible:
        yield f"  ! {energy.implausible}"


def _tokens(whole: Statement, words: Words, currency: str) -> Iterator[str]:
    costs, served = whole.costs, whole.served
    tokens = [
        words.figure(f"{name} tokens", figure, count)
        for name, figure in (
            ("input", served.input_tokens),
            ("cached", served.cached_tokens),
            ("output", served.output_tokens),
        )
    ]
    yield f"  tokens: {tokens[0]} input, {tokens[1]} cached input, {tokens[2]} output"
    of_prompt = "input + cached + output"
    yield line("blended", words.figure("blended", costs.usd_per_m_blended, amount), of_prompt)
    only = words.figure("output only", costs.usd_per_m_output_only, amount)
    busy = words.figure("output only, busy", costs.usd_per_m_output_only_busy, amount)
    yield line("output only", only, f"all of the cost; {busy} without idle GPUs")
    for name, figure in (
        ("input", costs.usd_per_m_input),
        ("cached input", costs.usd_per_m_cached),
        ("output", costs.usd_per_m_output),
    ):
        yield line(f"split: {name}", words.figure(f"split: {name}", figure, amount), f"by {costs.split_by}")
    useful = words.interval("useful output", costs.usd_per_m_useful_output, amount)
    met = words.interval("requests within the SLO", served.within_slo, percent)
    yield line("useful output", useful, f"requests within the SLO: {met}")
    yield line(
        "marginal output", words.figure("marginal", costs.usd_per_m_marginal_output, amount), "electricity alone"
    )
    cache = words.figure("saved by the prefix cache", costs.saved_by_cache_usd, amount)
    yield line("saved by the prefix cache", cache, f"{currency}, at the split above")
    speculation = words.figure("saved by speculation", costs.saved_by_speculation_usd, amount)
    yield line("saved by speculation", speculation, f"{currency}, at most")


def _request(whole: Statement, words: Words, currency: str) -> Iterator[str]:
    request, served = whole.request, whole.served
    finished = words.figure("requests", served.requests, count)
    rate = words.figure("requests per second", request.per_s, quantity)
    yield line("requests", finished, f"{rate} /s; failed or aborted: {count(served.requests_unfinished)}")
    prompt = words.figure("prompt tokens", request.prompt_tokens, quantity)
    cached = words.figure("share of cached prompt", request.cached_share, percent)
    yield line("prompt", prompt, f"tokens, {cached} of them cached")
    yield line("output", words.figure("output tokens", request.output_tokens, quantity), "tokens")
    basis = _basis(whole)
    yield line("cost", words.figure("cost per request", request.usd, amount), currency)
    yield line("energy", words.figure("Wh per request", request.wh, quantity), f"Wh, {basis}")
    yield line("CO2e", words.figure("CO2e per request", request.co2e_g, quantity), f"g, {basis}")
    if request.value_usd.value is not None:
        yield line("worth", words.figure("worth of a request", request.value_usd, amount), currency)


def _earned(whole: Statement, words: Words) -> Iterator[str]:
    earned, basis = whole.earned, _basis(whole)
    per_hour = words.figure("revenue per hour", earned.revenue_usd_per_hour, amount)
    yield line("revenue", words.figure("revenue", earned.revenue_usd, amount), f"{per_hour} an hour")
    per_hour = words.figure("profit per hour", earned.profit_usd_per_hour, amount)
    yield line("profit", words.figure("profit", earned.profit_usd, amount), f"{per_hour} an hour")
    yield line("margin", words.figure("margin", earned.margin, percent), "of revenue")
    yield line("profit per MWh", words.figure("profit per MWh", earned.profit_usd_per_mwh, amount), basis)
    provisioned = words.figure("profit per MW", earned.profit_usd_per_hour_per_provisioned_mw, amount)
    yield line("profit per hour and MW", provisioned, "of the boards' power limits")
    worth = words.figure("value of tasks", earned.task_value_usd, amount)
    left = words.figure("profit on tasks", earned.task_profit_usd, amount)
    yield line("value of tasks", worth, f"less their cost {left}")


def _rows(report: Report, words: Words) -> list[str]:
    header = (report.by.upper(), "GPU-H", "COST", "IDLE", "M OUT", "/M OUT", "/M ALL", "REVENUE", "PROFIT", "MARGIN")
    table = [header, *(_row(row, words) for row in (*report.rows, report.whole))]
    return [f"  {each}" for each in columns(table, numbers_from=1)]


def _row(row: Statement, words: Words) -> tuple[str, ...]:
    bill, costs, earned, made = row.bill, row.costs, row.earned, row.served.output_tokens
    output = known(None if made.value is None else made.value / 1e6, made.why)
    left_over = "rows in brackets" if row.name.startswith("(") else ""

    def cell(name: str, figure: Figure, write: Callable[[float], str]) -> str:
        return words.figure(left_over or name, figure, write)

    return (
        f"{row.name} ({row.tier_source})" if row.tier_source else row.name,
        f"{bill.gpu_hours + bill.unobserved_gpu_hours:.1f}",
        cell("cost", bill.invoice_usd, short),
        cell("idle", bill.idle_usd, short),
        cell("output tokens", output, quantity),
        cell("cost per M output", costs.usd_per_m_output_only, amount),
        cell("cost per M tokens", costs.usd_per_m_blended, amount),
        cell("revenue", earned.revenue_usd, short),
        cell("profit", earned.profit_usd, short),
        cell("margin", earned.margin, percent),
    )
