"""A fleet's figures, reckoned by hand, and what they say where something is not known."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ledger.fleet.made import METERED, NOW_MS, OSLO, WINDOW_MS, book, fleet, flow, host
from tokwatch.ledger.entries import HistogramEntry, State
from tokwatch.ledger.fleet.compose import fleet_snapshot
from tokwatch.ledger.fleet.snapshot import FleetSnapshot, HostRow
from tokwatch.ledger.fleet.tally import FlowTally, HostKey, HostTally, ModelLatency
from tokwatch.ledger.prices.book import PriceBook


def row_of(tally: HostTally, prices: PriceBook | None = None) -> HostRow:
    return fleet_snapshot(fleet(tally), prices or book()).hosts[0]


# --- one host ---------------------------------------------------------------------------------------------------------


def test_a_host_that_serves_by_hand() -> None:
    row = row_of(host("h1", flow()))
    assert row.tok_s.value == 1_000
    assert row.prompt_tok_s.value == 4_000
    assert row.power_w.value == 4_000  # of the window, not the 4 100 W of its end
    assert row.tok_per_j.value == 0.25
    assert row.usd_per_hour.value == 16.0
    assert row.usd_per_m_output.value == pytest.approx(16.0 / (1_000 * 3600) * 1e6)
    assert row.idle_usd_per_hour.value == 0
    assert row.memory_used_gib.value == 8
    assert row.hardware == "8× H100 80GB HBM3"


def test_metered_electricity_is_paid_at_the_buildings_meter_of_its_site() -> None:
    row = row_of(host("osl-1", flow()), book(terms=(METERED,), sites=(OSLO,)))
    assert row.site == "oslo"
    assert row.region == "eu-north"
    assert row.facility_w.value == 5_000
    assert row.usd_per_hour.value == pytest.approx(8 * 1.0 + 5.0 * 0.10)
    assert row.usd_per_hour.marks == ()


def test_electricity_without_a_price_is_left_out_and_told() -> None:
    row = row_of(host("h1", flow()), book(terms=(METERED,)))
    assert row.usd_per_hour.value == 8.0
    assert row.usd_per_hour.marks == ("part",)


def test_idle_gpus_cost_what_they_are_held_for() -> None:
    tally = host("h1", flow(), states=((State.SERVING, 6), (State.UNALLOCATED, 2)))
    row = row_of(tally)
    assert (row.gpus_idle, row.idle_usd_per_hour.value) == (2, 4.0)
    assert row_of(tally, book(terms=(METERED,))).idle_usd_per_hour.marks == ("part",)  # their electricity is not known


def test_without_a_price_nothing_costs_zero() -> None:
    row = fleet_snapshot(fleet(host("h1", flow())), PriceBook()).hosts[0]
    assert row.usd_per_hour.value is row.usd_per_m_output.value is row.idle_usd_per_hour.value is None
    assert row.usd_per_hour.why == "no price set"


def test_no_tokens_at_cost_are_infinitely_dear() -> None:
    row = row_of(host("h1", flow(output=0)))
    assert row.usd_per_m_output.infinite
    assert row.tok_per_j.value is None


def test_a_host_without_a_server_makes_no_tokens_that_could_be_counted() -> None:
    row = row_of(host("h1"))
    assert (row.tok_s.value, row.tok_s.why) == (None, "no inference server")
    assert row.power_w.value == 4_000


def test_few_tokens_are_marked() -> None:
    assert "few" in row_of(host("h1", flow(output=99))).usd_per_m_output.marks


def test_counters_that_were_just_met_give_no_rate() -> None:
    row = row_of(host("h1", flow(), length_ms=0))
    assert (row.tok_s.value, row.tok_s.why) == (None, "warming up")
    assert row_of(host("h1", flow(), length_ms=5_000)).tok_per_j.why == "warming up"


def test_half_a_window_covers_half_of_it() -> None:
    assert row_of(host("h1", flow(), length_ms=WINDOW_MS // 2)).tok_s.coverage == 0.5


def test_power_of_some_boards_is_a_part() -> None:
    assert "part" in row_of(host("h1", flow(), power_gpus=7)).power_w.marks


def test_tokens_per_watt_of_a_gauge_are_an_estimate() -> None:
    row = row_of(host("h1", flow(), energy_mj=None))
    assert (row.power_w.value, row.tok_per_j.marks) == (4_100, ("est",))


def test_tokens_that_one_model_does_not_tell_are_left_out() -> None:
    row = row_of(host("h1", flow(), flow("other", output=None)))
    assert (row.tok_s.value, row.tok_s.marks) == (1_000, ("part",))


def test_a_host_that_does_not_answer_keeps_its_rent_and_loses_its_figures() -> None:
    row = row_of(host("h1", flow(), up=False, problem="refused", t1_ms=NOW_MS - 600_000))
    assert (row.up, row.stale, row.age_s, row.problem) == (False, True, 600.0, "refused")
    assert row.tok_s.value is row.power_w.value is row.running is None
    assert row.gpus_idle == 0
    assert row.usd_per_hour.value == 16.0


@pytest.mark.parametrize(("age_ms", "stale"), [(15_000, False), (15_001, True)])
def test_older_than_three_intervals_is_stale(age_ms: int, stale: bool) -> None:
    row = row_of(host("h1", flow(), t1_ms=NOW_MS - age_ms))
    assert row.stale is stale
    assert ("stale" in row.tok_s.marks) is stale


def test_a_clock_ahead_of_ours_makes_nothing_younger_than_now() -> None:
    row = row_of(host("h1", t1_ms=NOW_MS + 5_000, clock_skew_ms=5_000))
    assert (row.age_s, row.clock_skew_s) == (0.0, 5.0)


@pytest.mark.parametrize(
    ("states", "worst"),
    [
        (((State.SERVING, 7), (State.LOST, 1)), State.LOST),
        (((State.SERVING, 6), (State.UNALLOCATED, 2)), State.UNALLOCATED),
        (((State.UNALLOCATED, 2), (State.SATURATED, 1)), State.SATURATED),
        (((State.OTHER_WORK, 3), (State.SERVING, 5)), State.SERVING),
        ((), State.UNKNOWN),
    ],
)
def test_the_state_of_a_host_is_what_needs_to_be_seen(states: tuple[tuple[int, int], ...], worst: State) -> None:
    assert row_of(host("h1", flow(), states=states)).state == worst


def test_a_state_of_a_later_version_is_unknown() -> None:
    row = row_of(host("h1", flow(), states=((State.UNKNOWN, 1), (State.SERVING, 5), (99, 2))))
    assert row.states == ((State.UNKNOWN, 3), (State.SERVING, 5))


# --- the fleet --------------------------------------------------------------------------------------------------------


def test_ratios_of_a_fleet_are_of_its_sums() -> None:
    half = host("h2", flow(output=30_000), energy_mj=2_000 * WINDOW_MS)
    total = fleet_snapshot(fleet(host("h1", flow()), half), book()).total
    assert total.tok_s.value == 1_500
    assert total.power_w.value == 6_000
    assert total.tok_per_j.value == 0.25
    assert total.usd_per_m_output.value == pytest.approx(32.0 / (1_500 * 3600) * 1e6)


def test_idle_hosts_belong_to_what_tokens_cost_and_draw() -> None:
    total = fleet_snapshot(fleet(host("h1", flow()), host("h2")), book()).total
    assert total.tok_s.marks == ()  # nothing is missing
    assert total.tok_per_j.value == 1_000 / 8_000
    assert total.usd_per_m_output.value == pytest.approx(32.0 / (1_000 * 3600) * 1e6)


def test_a_host_that_is_down_is_left_out_of_ratios_and_told() -> None:
    total = fleet_snapshot(fleet(host("h1", flow()), host("h2", flow(), up=False)), book()).total
    assert (total.hosts, total.hosts_down) == (2, 1)
    assert (total.tok_s.value, total.tok_s.marks) == (1_000, ("part",))
    assert (total.tok_per_j.value, total.tok_per_j.marks) == (0.25, ("part",))
    assert total.usd_per_hour.value == 32.0
    assert total.usd_per_m_output.value == pytest.approx(16.0 / (1_000 * 3600) * 1e6)


def test_an_empty_fleet_is_unknown_and_no_failure() -> None:
    snapshot = fleet_snapshot(fleet(), book())
    assert (snapshot.total.hosts, snapshot.total.tok_s.value) == (0, None)
    assert (snapshot.hosts, snapshot.models) == ((), ())


def test_a_site_has_its_tariff_its_building_and_its_cap() -> None:
    snapshot = fleet_snapshot(fleet(host("osl-1", flow()), host("h2", flow())), book(sites=(OSLO,)))
    (site,) = snapshot.sites
    assert (site.name, site.hosts, site.pue, site.usd_per_kwh.value) == ("oslo", 1, 1.25, 0.10)
    assert site.power_of_cap.value == 0.5
    assert site.carbon_kg_per_hour.value == pytest.approx(5.0 * 20.0 / 1000)


def test_a_site_without_a_host_is_there() -> None:
    (site,) = fleet_snapshot(fleet(host("h1")), book(sites=(OSLO,))).sites
    assert (site.hosts, site.power_of_cap.value) == (0, None)


def test_a_parked_host_beside_a_queue_is_misrouted() -> None:
    quiet = host("h2", flow(running=0, output=0), states=((State.PARKED, 8),))
    snapshot = fleet_snapshot(fleet(host("h1", flow(waiting=3)), quiet), book())
    assert [row.state for row in snapshot.hosts] == [State.SERVING, State.MISROUTED]
    assert snapshot.models[0].misrouted == ("h2",)


def test_of_hosts_of_one_name_only_the_one_that_is_left_out_is_misrouted_and_each_says_where_it_is() -> None:
    parked = {"states": ((State.PARKED, 8),)}
    hosts = (
        host("h1", flow(waiting=3), cluster="a", **parked),
        host("h1", flow(running=0, output=0), cluster="b", region="eu", **parked),
        host("h2", flow(running=0, output=0), **parked),
    )
    snapshot = fleet_snapshot(fleet(*hosts), book())
    assert [row.state for row in snapshot.hosts] == [State.PARKED, State.MISROUTED, State.MISROUTED]
    assert [row.label for row in snapshot.hosts] == ["h1 (a)", "h1 (eu, b)", "h2"]
    assert snapshot.models[0].misrouted == ("h1 (eu, b)", "h2")


def test_a_host_is_known_by_what_its_source_tells_and_not_by_its_site() -> None:
    (row,) = fleet_snapshot(fleet(host("osl-1")), book(sites=(OSLO,))).hosts
    assert (row.region, row.key) == ("eu-north", HostKey("osl-1"))


@pytest.mark.parametrize(
    ("one", "other", "may"),
    [
        (HostKey("h1", "eu", "a"), HostKey("h1", "eu", "a"), True),
        (HostKey("h1", "eu", "a"), HostKey("h1", "", "a"), True),
        (HostKey("h1"), HostKey("h1", "eu", "a"), True),
        (HostKey("h1", "eu", "a"), HostKey("h1", "eu", "b"), False),
        (HostKey("h1"), HostKey("h2"), False),
    ],
)
def test_a_host_is_the_same_while_no_place_contradicts(one: HostKey, other: HostKey, may: bool) -> None:
    assert one.may_be(other) is may
    assert other.may_be(one) is may


def test_the_price_in_words_spans_the_hosts() -> None:
    dear = book(gpu={"NVIDIA B200": 4.0})
    snapshot = fleet_snapshot(fleet(host("h1"), host("h2", gpu_model="NVIDIA B200")), dear)
    assert snapshot.price == "2.00–4.00 USD/GPU-h, config"


def test_ttft_of_the_fleet_is_of_all_models() -> None:
    histogram = HistogramEntry("ttft", (0.5, 1.0), (90, 10, 0), 0)
    latencies = (ModelLatency("a", (histogram,)), ModelLatency("b", (histogram,)))
    interval = fleet_snapshot(fleet(host("h1", flow()), latencies=latencies), book()).ttft_p95_s
    assert (interval.low, interval.high, interval.n) == (0.5, 1.0, 200)


# --- properties -------------------------------------------------------------------------------------------------------

counts = st.integers(0, 10**6)
flows = st.builds(
    FlowTally, model=st.sampled_from("abc"), output_tokens=st.none() | counts, prompt_tokens=st.none() | counts,
    running=st.none() | st.integers(0, 99), waiting=st.none() | st.integers(0, 9), engine=st.sampled_from(["v", "s"]),
)  # fmt: skip
hosts = st.builds(
    lambda number, of, up, gpus, energy, idle: host(
        f"h{number}", *{each.model: each for each in of}.values(), up=up, gpus=gpus, energy_mj=energy,
        states=((State.SERVING, 8 - idle), (State.PARKED, idle)) if idle else ((State.SERVING, 8),),
    ),
    st.integers(0, 10**6), st.lists(flows, max_size=3), st.booleans(), st.none() | st.just(8),
    st.none() | st.integers(0, 10**9), st.integers(0, 8),
)  # fmt: skip


def composed(tallies: list[HostTally]) -> FleetSnapshot:
    return fleet_snapshot(fleet(*tallies), book())


@given(st.lists(hosts, max_size=6, unique_by=lambda each: each.host))
def test_rows_add_up_to_the_total(tallies: list[HostTally]) -> None:
    snapshot = composed(tallies)
    for field in ("tok_s", "power_w", "facility_w", "usd_per_hour", "idle_usd_per_hour"):
        told = [value for row in snapshot.hosts if (value := getattr(row, field).value) is not None]
        total = getattr(snapshot.total, field).value
        assert total == (pytest.approx(sum(told)) if told else None)
    assert snapshot.total.gpus_idle == sum(row.gpus_idle for row in snapshot.hosts)


@given(st.lists(hosts, max_size=6, unique_by=lambda each: each.host))
def test_deployments_have_all_tokens_and_never_more_gpus_than_there_are(tallies: list[HostTally]) -> None:
    snapshot = composed(tallies)
    tokens = [row.tok_s.value for row in snapshot.models if row.tok_s.value is not None]
    assert sum(tokens) == pytest.approx(snapshot.total.tok_s.value or 0.0)
    serving = sum(row.gpus or 0 for row in snapshot.hosts if row.models)
    assert sum(row.gpus.value or 0.0 for row in snapshot.models) == pytest.approx(serving)


def test_what_the_gpus_of_a_host_that_is_down_do_is_not_known() -> None:
    snapshot = fleet_snapshot(fleet(host("h1", up=False), host("h2", states=((State.UNALLOCATED, 8),))), book())
    assert (snapshot.hosts[0].idle_usd_per_hour.value, snapshot.hosts[0].idle_usd_per_hour.why) == (
        None,
        "does not answer",
    )
    assert (snapshot.total.idle_usd_per_hour.value, snapshot.total.idle_usd_per_hour.marks) == (16.0, ("part",))
