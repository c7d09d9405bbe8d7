"""What would have been: before the change the figures are the report's own, and the store is never asked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.exports.money.accounts import account, made, rate, terms
from tokwatch.exports.errors import ExportError
from tokwatch.exports.money.account import Account, Who, together
from tokwatch.exports.money.otherwise import at_other_terms, economics, other_mix, parse_changes, parse_mix
from tokwatch.exports.money.statement import statement
from tokwatch.ledger.prices.facility import Facility
from tokwatch.ledger.prices.gpu_terms import Own, Rent

SITE = Facility(pue=1.25, host="ratio", host_ratio=0.4)
OWN = Own(server_usd=80_000 * 8760 / 10_000, gpus_per_server=8, years=1)  # 1 $ an hour and GPU
hours = st.floats(0.01, 1e4)


def period(own: float = 10, rented: float = 5, idle: float = 2) -> Account:
    """Own GPUs that pay for electricity, rented ones whose rent holds it."""
    whole = together(
        [
            account(rate(OWN, 0.10, SITE), busy_hours=own, watts=600, idle_hours=idle, idle_watts=100),
            account(rate(Rent(2.0), 0.10, SITE), busy_hours=rented, watts=500, made=made(3e6, 1e6, 1e6)),
        ]
    )
    whole.made.revenue_usd = 50.0
    return whole


def then(changes: dict[str, float], whole: Account | None = None) -> dict[str, tuple[float | None, float | None]]:
    found = at_other_terms(whole or period(), SITE, changes)
    return {line.name: (line.before.value, line.after.value) for line in found.lines}


@given(hours, hours, hours)
def test_before_the_change_stand_the_reports_own_figures(own: float, rented: float, idle: float) -> None:
    whole = period(own, rented, idle)
    told, now = statement("total", whole, terms()), economics(whole, SITE)
    assert now.cost_usd == pytest.approx(told.bill.total_usd.value)
    assert now.energy_usd == pytest.approx(told.bill.energy_usd.value)
    assert now.usd_per_m == pytest.approx(told.costs.usd_per_m_blended.value)
    assert (now.revenue_usd, now.profit_usd) == pytest.approx((50.0, told.earned.profit_usd.value))


def test_nothing_changed_changes_nothing() -> None:
    assert all(before == after for before, after in then({"gpu_price": 1.0, "pue": 1.25}).values())


def test_a_gpu_price_moves_the_fixed_cost_alone() -> None:
    lines = then({"gpu_price": 0.5})
    assert lines["fixed cost (rent, capital, opex, space)"] == (22.0, 11.0)
    assert lines["electricity"][0] == lines["electricity"][1]


def test_a_tariff_moves_only_what_is_metered() -> None:
    spent = (10 * 0.6 + 2 * 0.1) * 1.4 * 1.25 * 0.10
    assert then({"tariff": 1.5})["electricity"] == pytest.approx((spent, spent * 1.5))


def test_a_pue_takes_the_place_of_the_sites() -> None:
    before, after = then({"pue": 1.5})["electricity"]
    assert (after or 0) / (before or 1) == pytest.approx(1.5 / 1.25)


def test_half_the_load_keeps_the_idle_floor() -> None:
    lines = then({"utilisation": 0.5})
    board_kwh = 12 * 0.1 + (10 * 0.6 + 2 * 0.1 - 12 * 0.1) * 0.5
    host_kwh = (10 * 0.6 + 2 * 0.1) * 0.4
    assert lines["electricity"][1] == pytest.approx((board_kwh + host_kwh) * 1.25 * 0.10)
    assert lines["revenue"] == (50.0, 25.0)


def test_another_load_is_unknown_where_no_gpu_was_ever_idle() -> None:
    found = at_other_terms(period(idle=0), SITE, {"utilisation": 0.5})
    cost = next(line.after for line in found.lines if line.name == "cost")
    assert cost.value is None
    assert "idle" in cost.why


def test_a_period_without_meters_has_no_electricity_to_change() -> None:
    lines = then({"tariff": 2.0}, account(rate(Rent(2.0)), busy_hours=5, watts=500, made=made(0, 0, 1e6)))
    assert lines["electricity"] == (0, 0)
    assert lines["cost"] == (10.0, 10.0)


def test_a_pue_where_none_is_set_says_what_stands_before() -> None:
    bare = Facility()
    whole = account(rate(OWN, 0.10, bare), busy_hours=1, watts=1000, made=made(0, 0, 1e6))
    found = at_other_terms(whole, bare, {"pue": 1.2})
    assert "no PUE is set" in found.assumptions[-1]
    electricity = next(line for line in found.lines if line.name == "electricity")
    assert (electricity.before.value, electricity.after.value) == pytest.approx((0.10, 0.12))


def test_changes_are_read_from_the_command_line() -> None:
    assert parse_changes("gpu_price=0.8, pue=1.1") == {"gpu_price": 0.8, "pue": 1.1}


@pytest.mark.parametrize("text", ["gpu=0.8", "gpu_price", "gpu_price=x", "gpu_price=nan", "", "pue=inf"])
def test_a_change_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(ExportError, match="--what-if"):
        parse_changes(text)


@pytest.mark.parametrize("changes", [{"gpu_price": -1.0}, {"pue": 0.9}])
def test_a_change_that_cannot_be_is_refused(changes: dict[str, float]) -> None:
    with pytest.raises(ExportError, match="--what-if"):
        at_other_terms(period(), SITE, changes)


# --- another mix of models --------------------------------------------------------------------------------------------


def rows() -> list[Account]:
    large, small = Who("a", "org/large"), Who("b", "small")
    return [
        account(rate(Rent(8.0)), busy_hours=1, made=made(0, 0, 1e6, who=large)),
        account(rate(Rent(2.0)), busy_hours=1, made=made(0, 0, 1e6, who=small)),
    ]


def test_a_third_of_the_large_models_tokens_on_the_small_one() -> None:
    large, small = (statement(name, row, terms()) for name, row in zip(("org/large", "small"), rows(), strict=True))
    found = other_mix([large, small], parse_mix("large=small:30"))
    assert (found.large, found.small) == ("org/large", "small")
    told = found.share, found.before_usd.value, found.after_usd.value
    assert told == pytest.approx((0.3, 8.0, 0.7 * 8 + 0.3 * 2))
    assert found.saved_usd.value == pytest.approx(1.8)
    assert "quality is outside this tool" in found.assumptions[0]


def test_a_model_that_is_not_there_is_refused_by_the_names_of_those_that_are() -> None:
    large, small = (statement(name, row, terms()) for name, row in zip(("org/large", "small"), rows(), strict=True))
    with pytest.raises(ExportError, match="org/large, small"):
        other_mix([large, small], ("huge", "small", 0.5))


@pytest.mark.parametrize("text", ["a=b", "a:30", "a=b:x", "a=b:130", "=b:3", "a=b:-1"])
def test_a_mix_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(ExportError, match="--mix"):
        parse_mix(text)


def test_mixes_name_models_with_colons_and_signs() -> None:
    assert parse_mix("llama:70b=llama:8b:25%") == ("llama:70b", "llama:8b", 0.25)
