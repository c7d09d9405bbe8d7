"""A recorded box minute by minute: when which event is written, what K is learnt of, and what a restart changes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.readings import Moves
from tests.ledger.box import Box, placed
from tests.ledger.capacity.served import EVERY_S, FACTS, FIVE_S, HOUR_S, MET, NO_SLO, Served, of_capacity
from tests.ledger.readings import flow, gpu, page
from tokwatch.ledger.capacity.capacity import DeclaredCapacity, LearntCapacity, Load
from tokwatch.ledger.capacity.frontier import Frontier
from tokwatch.ledger.capacity.operating_point import OperatingPoint
from tokwatch.ledger.entries import Event, State


def points(events: Iterable[Event]) -> list[OperatingPoint]:
    return [msgspec.json.decode(event.body, type=OperatingPoint) for event in events if event.kind == "operating"]


def learnt(events: Iterable[Event]) -> list[tuple[str, float]]:
    """(mix, highest tok/s per GPU) after each change."""
    found = []
    for event in events:
        if event.kind == "capacity":
            body = msgspec.json.decode(event.body, type=LearntCapacity)
            found.append((event.key, max(day.computed_tok_s_per_gpu for day in body.days)))
    return found


def test_a_whole_minute_is_told_when_it_is_over() -> None:
    served = Served()
    assert served.serve(60 + EVERY_S)[0].kind == "operating"
    (minute,) = points(of_capacity(served.box.records[-1].events))
    assert (minute.gpus, minute.output_tok_s_per_gpu, minute.total_tok_s_per_gpu) == (2, 500, 750)
    assert minute.interactivity == pytest.approx(50)
    assert minute.watts_per_gpu == 300
    assert minute.running == 1


def test_a_minute_without_tokens_is_not_told() -> None:
    served = Served()
    served.serve(120)
    assert points(served.serve(180, out_s=0, prompt_s=0, finished_s=0))[1:] == []


def test_the_first_part_of_a_minute_is_none() -> None:
    served = Served()
    served.second = 30
    assert points(served.serve(60)) == []


def test_five_minutes_within_the_slo_are_a_capacity_of_their_mix() -> None:
    served = Served()
    assert learnt(served.serve(FIVE_S + EVERY_S)) == [("25-50", 750)]
    ((mix, tok_s_per_gpu),) = learnt(served.serve(FIVE_S, out_s=2_000, prompt_s=1_000))
    assert mix == "25-50"
    assert tok_s_per_gpu == pytest.approx(1_500, rel=0.02)
    assert learnt(served.serve(FIVE_S, out_s=100, prompt_s=9_900))[-1][0] == "75-100"


def test_five_minutes_that_missed_the_slo_are_not_however_much_they_made() -> None:
    served = Served()
    served.serve(FIVE_S + EVERY_S)
    assert learnt(served.serve(2 * FIVE_S, out_s=9_000, prompt_s=4_500, slow=True)) == []


def test_without_an_slo_nothing_is_learnt() -> None:
    assert learnt(Served(NO_SLO).serve(2 * FIVE_S)) == []


def test_too_few_requests_teach_nothing() -> None:
    assert learnt(Served().serve(FIVE_S + EVERY_S, finished_s=0)) == []


def test_tokens_that_come_when_a_request_ends_make_windows_of_five_minutes() -> None:
    served = Served()
    served.moves = Moves.AT_END
    found = points(served.serve(2 * FIVE_S + EVERY_S))
    assert [point.to_ms - point.from_ms for point in found] == [300_000, 300_000]


def test_the_frontier_is_told_when_it_changes() -> None:
    served = Served()
    told = [event for event in served.serve(FIVE_S + EVERY_S) if event.kind == "frontier"]
    assert len(told) == 1
    assert len(msgspec.json.decode(told[0].body, type=Frontier).points) == 1
    assert [event.key for event in served.serve(120, out_s=4_000, prompt_s=2_000) if event.kind == "frontier"]


def test_the_load_of_an_hour_is_told_at_its_end() -> None:
    served = Served()
    served.serve(HOUR_S // 2)
    (told,) = (event for event in served.serve(HOUR_S // 2 + EVERY_S, out_s=0, prompt_s=0) if event.kind == "load")
    load = msgspec.json.decode(told.body, type=Load)
    assert load.factor == pytest.approx(0.5, rel=0.02)


def test_a_deployment_of_several_servers_is_one_unit() -> None:
    served = Served()
    prefill = placed(2, address="127.0.0.1:8100", role="prefill")
    served.facts = replace(FACTS, role="decode")
    tokens = 0
    for second in range(0, 70, EVERY_S):
        tokens += 500
        pages = [
            page(second, flow(prompt_tokens=tokens, output_tokens=0), facts=prefill),
            page(second, flow(prompt_tokens=0, output_tokens=2 * tokens), facts=served.facts),
        ]
        served.box.turn(second, [gpu(second, index) for index in range(3)], pages)
    (minute,) = points(event for record in served.box.records for event in of_capacity(record.events))
    assert minute.gpus == 3
    assert minute.output_tokens == 2 * (minute.prompt_tokens or 0)


def test_a_server_that_shares_one_of_its_gpus_makes_no_point() -> None:
    box = Box(settings=MET)
    other = placed(1, address="127.0.0.1:8100", engine="llama.cpp")
    for second in range(0, 130, EVERY_S):
        pages = [page(second, flow(output_tokens=second * 10), facts=facts) for facts in (FACTS, other)]
        box.turn(second, [gpu(second), gpu(second, 1)], pages)
    assert points(event for record in box.records for event in of_capacity(record.events)) == []


# --- underbatched -----------------------------------------------------------------------------------------------------


def states(served: Served) -> set[State]:
    return {State(entry.state) for entry in served.box.records[-1].gpus}


def test_a_deployment_far_below_its_declared_capacity_is_underbatched() -> None:
    declared = msgspec.structs.replace(MET, capacity=(DeclaredCapacity(1_500, "bench", model="Qwen/Qwen3-32B"),))
    served = Served(declared)
    served.serve(120, out_s=400, prompt_s=100)
    assert states(served) == {State.UNDERBATCHED}
    served.serve(240, out_s=2_500, prompt_s=100)
    assert states(served) == {State.SERVING}


def test_without_a_capacity_nothing_is_underbatched() -> None:
    served = Served()
    served.serve(120, out_s=4, prompt_s=1)
    assert states(served) == {State.SERVING}


# --- a restart --------------------------------------------------------------------------------------------------------

loads = st.lists(
    st.tuples(st.sampled_from([0, 200, 1_000, 4_000]), st.sampled_from([0, 300, 9_000]), st.booleans()),
    min_size=2,
    max_size=4,
)


@settings(max_examples=8, deadline=None)
@given(loads, st.data())
def test_a_tracker_that_was_resumed_in_a_pause_says_what_one_says_that_went_on(
    paces: list[tuple[int, int, bool]], data: st.DataObject
) -> None:
    stop_after = data.draw(st.integers(0, len(paces) - 2))
    through, resumed = Served(), Served()
    for n, (out_s, prompt_s, slow) in enumerate(paces):
        told, told_after = (each.serve(FIVE_S + EVERY_S, out_s, prompt_s, slow=slow) for each in (through, resumed))
        assert without_load(told) == without_load(told_after)
        if n == stop_after:
            resumed.box.restart(resumed.second + 60)
        for each in (through, resumed):
            each.second += FIVE_S - EVERY_S


def without_load(events: Iterable[Event]) -> list[Event]:
    """An hour belongs to one run."""
    return [event for event in events if event.kind != "load"]


def test_what_was_learnt_before_a_restart_holds_after_it() -> None:
    served = Served()
    served.serve(FIVE_S + EVERY_S, out_s=2_000, prompt_s=1_000)
    served.box.restart(served.second + 1)
    assert learnt(served.serve(2 * FIVE_S)) == []
