"""The questions of a money report in words: break-even, the cost curve, demand, what-if and another mix of models."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from tokwatch.exports.money.report import Curve, Demand, Mix, RentOrOwn, Report, SelfOrApi, WhatIf
from tokwatch.exports.money_words import ABSENT, Words, amount, count, line, percent, quantity
from tokwatch.exports.table import columns
from tokwatch.ledger.figure import Figure

_BAR = 40  # cells of the longest bar


def answers(report: Report, words: Words) -> Iterator[list[str]]:
    """A block for each that was asked; break-even always."""
    yield [f"BREAK-EVEN ({report.currency})", *_rent_or_own(report.rent_or_own, words)]
    if report.self_or_api:
        yield ["OWN GPUs AGAINST AN API (all tokens)", *_self_or_api(report.self_or_api, report.currency, words)]
    if report.curves:
        yield list(_curves(report.curves, report.currency, words))
    if report.demand:
        yield list(_demand(report.demand, words))
    if report.what_if:
        yield list(_what_if(report.what_if, report.currency, words))
    if report.mix:
        yield list(_mix(report.mix, report.currency, words))


def _rent_or_own(found: RentOrOwn, words: Words) -> Iterator[str]:
    used = words.figure("own GPUs in use", found.in_use, percent)
    wins = words.figure("own against rent", found.utilisation, percent)
    yield line("owning wins above", wins, f"of hours in use; they were {used}")
    own = words.figure("own GPU-hour", found.own_fixed_usd_per_gpu_hour, amount)
    busy = words.figure("electricity of use", found.busy_energy_usd_per_gpu_hour, amount)
    yield line("an own GPU-hour, idle", own, f"a busy one adds {busy} of electricity")
    yield line("a rented GPU-hour, elastic", words.figure("elastic rent", found.rent_usd_per_gpu_hour, amount))
    yield from _assumptions(found.assumptions)


def _self_or_api(found: Iterable[SelfOrApi], currency: str, words: Words) -> Iterator[str]:
    rows = list(found)
    table = [("MODEL", f"{currency}/H", "API PER M", "WINS ABOVE TOK/S", "HAD TOK/S", "OF CAPACITY")]
    for each in rows:
        name = f"the API's price of {each.model}"
        table.append(
            (
                each.model,
                words.figure("cost per hour", each.usd_per_hour, amount),
                words.figure(name, each.api_usd_per_m_blended, amount),
                words.figure(name, each.tok_s, count),
                words.figure("tok/s", each.tok_s_had, count),
                words.figure(name if each.tok_s.value is None else "share of capacity", each.utilisation, percent),
            )
        )
    yield from (f"  {each}" for each in columns(table, numbers_from=1))
    yield from _assumptions(dict.fromkeys(assumption for each in rows for assumption in each.assumptions))


def _curves(curves: Sequence[Curve], currency: str, words: Words) -> Iterator[str]:
    """The curve of all GPUs; of each deployment where it beats its API."""
    yield f"COST CURVE ({curves[0].name}, all tokens, by the load of quarter hours)"
    table = [("TOK/S PER GPU", "HOURS", "MEAN", f"{currency}/M ALL", "TOK/J, BOARDS")]
    for point in curves[0].points:
        to = "" if point.tok_s_gpu_to is None else count(point.tok_s_gpu_to)
        table.append(
            (
                f"{count(point.tok_s_gpu_from)}–{to}",
                f"{point.hours:.2f}",
                words.figure("load", point.tok_s_gpu, quantity),
                words.figure("cost at a load", point.usd_per_m_blended, amount),
                words.figure("tok/J at a load", point.tok_per_j_board, quantity),
            )
        )
    yield from (f"  {each}" for each in columns(table, numbers_from=1))
    yield ""
    against = [("LOAD THAT BEATS THE API", "API PER M", "TOK/S PER GPU")]
    for curve in curves:
        name = f"load that beats the API, {curve.name}"
        api = words.figure(name, curve.api_usd_per_m_blended, amount)
        against.append((curve.name, api, words.figure(name, curve.beats_api_from_tok_s_gpu, quantity)))
    width = max(len(row[0]) for row in against)
    yield from (f"  {row[0]:<{width}}  {row[1]:>10}  {row[2]:>14}" for row in against)


def _demand(demand: Demand, words: Words) -> Iterator[str]:
    yield f"DEMAND BY HOUR OF DAY ({demand.timezone})"
    highest = max((hour.tok_s.value or 0.0 for hour in demand.hours), default=0.0)
    for hour in demand.hours:
        tok_s = words.figure(f"{hour.hour:02d}:00", hour.tok_s, count)
        requests = words.figure("requests per second", hour.requests_per_s, quantity)
        bar = "▇" * round(_BAR * (hour.tok_s.value or 0.0) / highest) if highest else ""
        yield f"  {hour.hour:02d}  {tok_s:>9} tok/s  {requests:>7} req/s  {bar}".rstrip()
    if demand.prompt_lengths:
        yield ""
        table = [("PROMPT LENGTH, tokens", "REQUESTS", "SHARE", "PROMPT TOKENS")]
        every = sum(each.requests for each in demand.prompt_lengths)
        for each in demand.prompt_lengths:
            to = "" if each.up_to_tokens is None else count(each.up_to_tokens)
            tokens = f"{count(each.prompt_tokens_at_least)}–{count(each.prompt_tokens_at_most)}"
            share = percent(each.requests / every) if every else ABSENT
            table.append((f"{count(each.above_tokens)}–{to}", count(each.requests), share, tokens))
        yield from (f"  {each}" for each in columns(table, numbers_from=1))


def _what_if(found: WhatIf, currency: str, words: Words) -> Iterator[str]:
    told = ", ".join(f"{name} {'' if name == 'pue' else '× '}{value:g}" for name, value in found.changes.items())
    yield f"WHAT IF ({currency}): {told}"
    rows = [("", "NOW", "THEN", "CHANGE")]
    for each in found.lines:
        write = percent if each.name == "margin" else amount
        now, then = (words.figure(f"what if: {each.name}", side, write) for side in (each.before, each.after))
        rows.append((each.name, now, then, _change(each.before, each.after) if each.name != "margin" else ""))
    width = max(len(row[0]) for row in rows)
    for name, now, then, change in rows:
        yield f"  {name:<{width}}  {now:>14}  {then:>14}  {change:>10}".rstrip()
    yield from _assumptions(found.assumptions)


def _change(before: Figure, after: Figure) -> str:
    if before.value is None or after.value is None or not before.value:
        return ""
    return f"{(after.value - before.value) / abs(before.value) * 100:+.1f} %"


def _mix(mix: Mix, currency: str, words: Words) -> Iterator[str]:
    yield f"MODEL MIX: {percent(mix.share)} of the tokens of {mix.large} on {mix.small}"
    yield line("now", words.figure("model mix", mix.before_usd, amount), currency)
    yield line("then", words.figure("model mix", mix.after_usd, amount), currency)
    yield line("saved", words.figure("model mix", mix.saved_usd, amount), currency)
    yield from _assumptions(mix.assumptions)


def _assumptions(assumptions: Iterable[str]) -> Iterator[str]:
    for each in assumptions:
        yield f"  assumed: {each}"
