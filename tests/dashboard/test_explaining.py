"""What is told of a figure, in words."""

from __future__ import annotations

from msgspec.structs import replace

from tests.dashboard.scenes.inspect import provenance
from tests.dashboard.snapshots import BOX, no_price
from tokwatch.dashboard.explaining import Told, tell, title
from tokwatch.feeds.questions.explanation import Explanation
from tokwatch.ledger.explain.provenance import Provenance
from tokwatch.ledger.figure_path import FigurePath

TOK_S = FigurePath("gpu", "tok_s", BOX.gpus[0].entity)
COST = FigurePath("totals", "usd_per_m_output")


def fact(told: Told, label: str) -> str:
    return next(fact.text for fact in told.facts if fact.label == label)


def labels(told: Told) -> list[str]:
    return [fact.label for fact in told.facts if fact.label]


def asked(path: FigurePath) -> Provenance:
    return provenance(Explanation(path, BOX.tick_ms))


def test_a_figure_is_named_with_what_it_is_of() -> None:
    assert title(BOX, FigurePath("gpu", "tok_per_j", BOX.gpus[3].entity)) == "output tokens per watt of GPU 3"
    assert title(BOX, FigurePath("totals", "power_w")) == "power, all 8 GPUs"
    assert title(BOX, FigurePath("self_cost", "cpu_share")) == "CPU of tokwatch"
    server = BOX.servers[0]
    assert title(BOX, FigurePath("server", "kv_usage", server.entity)).endswith(f"at {server.address}")


def test_before_the_store_answers_the_snapshot_alone_tells_formula_and_meaning() -> None:
    told = tell(BOX, TOK_S)
    assert told.value == "1 551 tok/s"
    assert labels(told) == ["formula", "read from", "means", "set by"]
    assert fact(told, "read from") == "asking the store"


def test_then_numbers_series_counters_and_window_are_told() -> None:
    told = tell(BOX, TOK_S, asked(TOK_S))
    assert fact(told, "numbers").startswith("(93 060 tokens ÷ 60 s) × ")
    assert fact(told, "read from") == ("vllm:generation_tokens_total on 127.0.0.1:8000: 88 630 141 → 88 723 201 tokens")
    assert "60 s, 60 ticks, 100 % covered, newest reading 0.25 s old" in fact(told, "window")
    assert "price" not in labels(told)


def test_money_tells_its_price_and_is_in_its_currency() -> None:
    euros = replace(BOX, currency="EUR")
    told = tell(euros, COST, asked(COST))
    assert told.value.startswith("€0.4")
    assert "$" not in fact(told, "numbers")
    assert fact(told, "price").endswith("version 1")


def test_what_does_not_fit_is_written_less_deep_and_never_cut_in_a_number() -> None:
    wide, narrow = (fact(tell(BOX, TOK_S, asked(TOK_S), width=width), "numbers") for width in (200, 20))
    assert "93 060 tokens" in wide
    assert narrow.startswith("1 551 tok/s × ")


def test_an_unknown_figure_says_why_and_what_to_do() -> None:
    told = tell(no_price(), COST)
    assert told.value == "–"
    assert fact(told, "unknown") == "no price set"
    assert fact(told, "to do").startswith("press $")


def test_bounds_are_both_told() -> None:
    assert tell(BOX, FigurePath("totals", "slo_met")).value == "0.972 to 0.989"


def test_numbers_of_another_tick_say_of_which() -> None:
    earlier = replace(BOX, tick_ms=BOX.tick_ms - 2000)
    told = tell(BOX, TOK_S, provenance(Explanation(TOK_S, earlier.tick_ms)))
    assert fact(told, "numbers").endswith("at 14:03:20")


def test_the_whole_page_has_every_step_of_the_numbers() -> None:
    told = tell(BOX, TOK_S, asked(TOK_S), whole=True)
    assert any(fact.text.strip() == "output tokens: 93 060 tokens" for fact in told.facts)
