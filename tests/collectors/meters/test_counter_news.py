"""Which part of an exporter's page is news: the counter that moved, the Xid that was not there before."""

from __future__ import annotations

from collectors.meters.counter_news import STILL_NS, CounterNews
from collectors.readings import GpuFacts, GpuReading, Reason

SECOND_NS = 1_000_000_000
FACTS = GpuFacts(0, "GPU-1", meter="dcgm-exporter")


def reading(second: float, energy_mj: int | None, power_w: float | None = 300.0, xid: int = 0) -> GpuReading:
    return GpuReading(
        FACTS,
        round(second * SECOND_NS),
        power_w=power_w,
        energy_mj=energy_mj,
        xids=(xid,) if xid else (),
        reasons=() if energy_mj is not None else (("energy_mj", Reason.NOT_ON_PAGE),),
    )


def test_a_counter_that_an_exporter_samples_every_30_s_is_handed_on_when_it_moves() -> None:
    news = CounterNews()
    pages = [reading(second, 1000 + second // 30 * 9000) for second in range(65)]
    handed_on = {at: given.energy_mj for at, page in enumerate(pages) if (given := news.of(page)).energy_mj is not None}
    assert handed_on == {0: 1000, 30: 10_000, 60: 19_000}


def test_the_gauges_of_every_page_are_handed_on() -> None:
    news = CounterNews()
    assert [news.of(reading(second, 1000, power_w=second + 1)).power_w for second in range(3)] == [1, 2, 3]


def test_a_counter_that_stands_for_a_minute_does_stand_still() -> None:
    news = CounterNews()
    seen = [news.of(reading(second, 1000)).energy_mj for second in range(STILL_NS // SECOND_NS + 1)]
    assert seen == [1000, *[None] * 59, 1000]


def test_trap_22_a_counter_that_falls_is_handed_on_as_it_stands() -> None:
    news = CounterNews()
    news.of(reading(0, 9_000_000))
    assert news.of(reading(1, 12)).energy_mj == 12


def test_a_gpu_without_a_counter_gets_the_integral_of_its_power() -> None:
    news = CounterNews()
    first, second = news.of(reading(0, None)), news.of(reading(2, None, power_w=500))
    assert (first.energy_mj, second.energy_mj, second.energy_estimated) == (0, 800_000, True)
    assert second.reasons == ()


def test_without_power_nothing_is_integrated_and_the_reason_stays() -> None:
    given = CounterNews().of(reading(0, None, power_w=None))
    assert (given.energy_mj, given.energy_estimated) == (None, False)
    assert given.reasons == (("energy_mj", Reason.NOT_ON_PAGE),)


def test_a_counter_that_goes_missing_is_not_replaced_by_another_count() -> None:
    news = CounterNews()
    news.of(reading(0, 9_000_000))
    assert news.of(reading(1, None)).energy_mj is None
    assert news.of(reading(2, 9_000_600)).energy_mj == 9_000_600


def test_an_xid_is_reported_when_it_changes_and_not_for_what_stood_there_before() -> None:
    news = CounterNews()
    codes = [79, 79, 0, 79, 79, 31, 31]
    assert [news.of(reading(second, 1, xid=code)).xids for second, code in enumerate(codes)] == [
        (),
        (),
        (),
        (79,),
        (),
        (31,),
        (),
    ]
