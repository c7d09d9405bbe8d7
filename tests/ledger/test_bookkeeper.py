"""One tick's sightings → one record: what is written, when, and what an earlier run left."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from collectors.readings import GpuReading, Probe, Reason
from tests.ledger.box import Box, in_force, placed
from tests.ledger.readings import NOON_MS, flow, gpu, gpu_facts, lost_gpu, no_page, page, server_facts
from tokwatch.ledger.bodies import GpuBody, PlacementBody, ProbeBody, ProblemBody, ReasonsBody, ServerBody, SettingsBody
from tokwatch.ledger.entries import Flag, State, TickRecord
from tokwatch.ledger.states import StateBody

HOUR_MS = 3_600_000
SERVER = placed(0)


def kinds(record: TickRecord) -> list[tuple[str, int]]:
    """Kind and entity of each event."""
    return [(event.kind, event.entity) for event in record.events]


def keys(record: TickRecord) -> dict[int, str]:
    return {entity.id: entity.kind for entity in record.entities}


def last(box: Box, kind: str, key: str = "", *, entity: int | None = None) -> bytes:
    """The body in force."""
    (body,) = [
        event.body
        for event in in_force(box.records)
        if (event.kind, event.key) == (kind, key) and entity in (None, event.entity)
    ]
    return body


# --- what is written when ---------------------------------------------------------------------------------------------


def test_the_first_tick_introduces_everything_and_says_what_it_is() -> None:
    record = Box().turn(0, [gpu(0)], [page(0, flow(), facts=SERVER)])
    assert sorted(keys(record).values()) == ["flow", "gpu", "host", "server"]
    assert {kind for kind, _ in kinds(record)} == {"settings", "facts", "reasons", "placement", "state"}
    assert (len(record.gpus), len(record.servers), len(record.flows), len(record.hosts)) == (1, 1, 1, 1)


def test_what_does_not_change_is_not_written_again() -> None:
    box = Box()
    for second in range(5):
        box.turn(second, [gpu(second)], [page(second, flow(), facts=SERVER)], probes=[Probe("driver", True, "550")])
    assert [len(record.entities) for record in box.records] == [4, 0, 0, 0, 0]
    assert [len(record.events) for record in box.records[2:]] == [0, 0, 0]


def test_a_changed_fact_is_written_once() -> None:
    box = Box()
    box.turn(0, [gpu(0)])
    slower = gpu_facts(power_limit_w=500.0)
    changed, again = (box.turn(second, [gpu(second, facts=slower)]) for second in (1, 2))
    (event,) = [event for event in changed.events if event.kind == "facts"]
    assert msgspec.json.decode(event.body, type=GpuBody).power_limit_mw == 500_000
    assert "facts" not in {kind for kind, _ in kinds(again)}


def test_events_carry_the_tick_they_happened_at() -> None:
    box = Box()
    for second in range(60):
        at = second + 0.5
        lost = lost_gpu(second) if second > 20 else gpu(second)
        record = box.turn(at, [lost], [no_page(second, facts=SERVER)], problems=[("store", f"{second} of 60")])
        assert {event.tick_ms for event in record.events} <= {record.tick.tick_ms}
    assert any(event.kind == "alert" for record in box.records for event in record.events)


def test_a_record_holds_each_kind_entity_and_key_once() -> None:
    box = Box()
    for second in range(3):
        server = no_page(second, facts=SERVER) if second == 1 else page(second, flow(), facts=SERVER)
        record = box.turn(
            second, [gpu(second), gpu(second, 1)], [server], probes=[Probe("a", True, ""), Probe("b", False, "")]
        )
        places = [(event.kind, event.entity, event.key) for event in record.events]
        assert len(set(places)) == len(places)


def test_settings_are_written_at_the_start_and_kept() -> None:
    box = Box(settings=SettingsBody(slo_ttft_s=0.5))
    box.turn(0)
    assert msgspec.json.decode(last(box, "settings"), type=SettingsBody).slo_ttft_s == 0.5


# --- GPUs -------------------------------------------------------------------------------------------------------------


def test_a_gpu_that_refuses_its_handle_has_an_entry_by_its_index() -> None:
    refused = GpuReading(
        gpu_facts(3, uuid=None), gpu(0).at_ns, problem=Reason.NO_PERMISSION, problem_text="run as root"
    )
    box = Box()
    record = box.turn(0, [gpu(0), refused])
    numbers = {entity.key: entity.id for entity in record.entities}
    (entry,) = [entry for entry in record.gpus if entry.entity == numbers["index:3"]]
    assert (entry.state, entry.energy_mj) == (State.UNKNOWN, None)
    state = msgspec.json.decode(last(box, "state", entity=entry.entity), type=StateBody)
    assert state.note == "run as root"
    reasons = msgspec.json.decode(last(box, "reasons", entity=entry.entity), type=ReasonsBody).reasons
    assert set(reasons.values()) == {"no permission"}


def test_a_gpu_without_uuid_is_known_by_its_slot() -> None:
    box = Box()
    box.turn(0, [gpu(0, facts=gpu_facts(uuid=None, pci_bus_id="0000:3b:00.0"))])
    assert "0000:3b:00.0" in {entity.key for entity in box.records[0].entities}


def test_a_lost_gpu_keeps_its_facts_and_says_why_its_values_are_unknown() -> None:
    box = Box()
    box.turn(0, [gpu(0)])
    record = box.turn(1, [lost_gpu(1)])
    assert {kind for kind, _ in kinds(record)} == {"reasons", "placement", "state", "alert"}
    (entry,) = record.gpus
    assert (entry.state, entry.power_mw) == (State.LOST, None)
    assert msgspec.json.decode(last(box, "reasons"), type=ReasonsBody).reasons["power_w"] == "lost"


def test_a_free_gpu_and_one_whose_processes_are_hidden_are_told_apart() -> None:
    box = Box()
    at_rest = gpu(0, utilization=0.0, memory_used_bytes=0, processes=())
    hidden_at_rest = replace(at_rest, facts=gpu_facts(1), memory_used_bytes=40 << 30, processes=None)
    free, hidden = box.turn(0, [at_rest, hidden_at_rest]).gpus
    assert (free.state, hidden.state) == (State.UNALLOCATED, State.UNKNOWN)


def test_a_gpu_is_owned_by_its_server_or_by_the_group_of_them() -> None:
    box = Box()
    other = placed(1, address="b:1")
    both = placed(2, address="c:1"), placed(2, address="d:1")
    servers = [page(0, flow(), facts=facts) for facts in (SERVER, other, *both)]
    record = box.turn(0, [gpu(0), gpu(0, 1), gpu(0, 2), gpu(0, 3, processes=())], servers)
    kind_of = keys(record)
    assert [kind_of.get(entry.owner, "") for entry in record.gpus] == ["server", "server", "group", ""]
    assert record.gpus[0].owner != record.gpus[1].owner


def test_a_server_of_another_user_owns_nothing() -> None:
    (entry,) = Box().turn(0, [gpu(0)], [page(0, flow(), facts=placed(0, verified=False))]).gpus
    assert entry.owner == 0


def test_placement_says_how_it_is_known() -> None:
    box = Box()
    record = box.turn(0, [gpu(0), gpu(0, 1, processes=())], [page(0, flow(), facts=server_facts())])
    gpus = [entry.entity for entry in record.gpus]
    first, second = (msgspec.json.decode(last(box, "placement", entity=each), type=PlacementBody) for each in gpus)
    assert (first.servers, first.method, first.processes) == ((record.servers[0].entity,), "process", 1)
    assert (second.servers, second.method, second.processes) == ((), "", 0)


def test_a_config_that_contradicts_the_driver_is_a_problem_until_it_is_mended() -> None:
    box = Box()
    box.turn(0, [gpu(0)], [page(0, flow(), facts=placed(0, 7))])
    assert "GPU 7" in msgspec.json.decode(last(box, "problem", "placement"), type=ProblemBody).text
    box.turn(1, [gpu(1)], [page(1, flow(), facts=SERVER)])
    assert msgspec.json.decode(last(box, "problem", "placement"), type=ProblemBody).text == ""


def test_a_gpu_whose_meter_reports_seldom_keeps_its_place_in_between() -> None:
    box = Box()
    facts = placed(0, 8)
    exported = gpu(0, 8, facts=gpu_facts(8, meter="dcgm-exporter"))
    records = [box.turn(0, [gpu(0), exported], [page(0, flow(), facts=facts)])]
    records += [box.turn(s, [gpu(s)], [page(s, flow(), facts=facts)]) for s in range(1, 30)]
    assert {event.kind for record in records[1:] for event in record.events} <= {"state"}
    late = box.turn(400, [gpu(400)], [page(400, flow(), facts=facts)])  # … and is missed when it is gone
    assert [event.key for event in late.events if event.kind == "problem"] == ["placement"]


# --- servers ----------------------------------------------------------------------------------------------------------


def test_a_servers_facts_are_those_of_its_page_and_outlive_a_failed_one() -> None:
    box = Box()
    facts = placed(0, model="from the command line", tensor_parallel=2)
    box.turn(0, [gpu(0)], [page(0, flow(model="from the page"), facts=facts)])
    box.turn(1, [gpu(1)], [no_page(1, facts=facts)])
    server = box.records[0].servers[0].entity
    body = msgspec.json.decode(last(box, "facts", entity=server), type=ServerBody)
    assert (body.model, body.moves, dict(body.facts)["tensor parallel"]) == ("from the page", "live", "2")
    assert msgspec.json.decode(last(box, "problem", entity=server), type=ProblemBody).text == "connection refused"
    box.turn(2, [gpu(2)], [page(2, flow(model="from the page"), facts=facts)])
    assert msgspec.json.decode(last(box, "problem", entity=server), type=ProblemBody).text == ""


def test_the_absence_of_a_problem_is_no_news_before_the_first_one() -> None:
    record = Box().turn(0, [gpu(0)], [page(0, flow(), facts=SERVER)], problems=[("store", "")])
    assert "problem" not in {kind for kind, _ in kinds(record)}


# --- probes -----------------------------------------------------------------------------------------------------------


def test_a_probe_that_is_no_longer_made_is_marked_as_gone_once() -> None:
    box = Box()
    driver, server = Probe("NVIDIA driver", True, "550.54"), Probe("server b:1", False, "refused", "start it")
    box.turn(0, probes=[driver, server])
    gone, quiet = box.turn(1, probes=[driver]), box.turn(2, probes=[driver])
    assert [(event.kind, event.key) for event in gone.events] == [("probe", "server b:1")]
    assert msgspec.json.decode(gone.events[0].body, type=ProbeBody).gone
    assert quiet.events == ()
    back = box.turn(3, probes=[driver, server])
    assert msgspec.json.decode(back.events[0].body, type=ProbeBody) == ProbeBody(False, "refused", "start it")


# --- time -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("jump_ms", [HOUR_MS, -HOUR_MS])
def test_a_step_of_the_wall_clock_is_recorded_and_changes_no_length(jump_ms: int) -> None:
    box = Box()
    box.turn(0, [gpu(0)])
    box.wall_behind_ms = jump_ms
    record = box.turn(1, [gpu(1)])
    assert (record.tick.clock_step_ms, record.tick.wall_ms) == (-jump_ms, NOON_MS + 1000 - jump_ms)
    assert record.tick.tick_ms > box.records[0].tick.tick_ms
    assert record.gpus[0].t1_ms - record.gpus[0].t0_ms == 1000
    assert box.turn(2, [gpu(2)]).tick.clock_step_ms == 0


def test_a_server_started_after_the_clock_was_stepped_back_is_young() -> None:
    box = Box()
    box.turn(0, [gpu(0)])
    box.wall_behind_ms = HOUR_MS
    facts = placed(0, started_at_s=(NOON_MS + 10_000 - HOUR_MS) / 1000)
    box.turn(20, [gpu(20, utilization=0.0)], [no_page(20, facts=facts)])
    assert box.records[-1].gpus[0].state == State.LOADING


def test_a_reading_older_than_the_tick_is_placed_where_it_was_made() -> None:
    box = Box()
    box.turn(0, [gpu(0)])
    record = box.turn(1.4, [gpu(1)])
    (entry,) = record.gpus
    assert (entry.t0_ms, entry.t1_ms, record.tick.tick_ms) == (NOON_MS, NOON_MS + 1000, NOON_MS + 1400)


def test_a_tick_without_readings_is_still_a_tick() -> None:
    record = Box().turn(0)
    assert (record.tick.tick_ms, record.gpus, record.servers) == (NOON_MS, (), ())


# --- across runs ------------------------------------------------------------------------------------------------------


def parked(box: Box, seconds: range) -> None:
    for second in seconds:
        box.turn(second, [gpu(second)], [page(second, flow(output_tokens=900), facts=SERVER, idle=True)])


def test_a_later_run_knows_everything_and_writes_only_what_changed() -> None:
    box = Box()
    parked(box, range(40))
    box.restart(100)
    parked(box, range(100, 101))
    record = box.records[-1]
    assert record.entities == ()
    assert kinds(record) == []
    assert (record.tick.run, record.gpus[0].state) == (2, State.PARKED)
    assert record.gpus[0].flags == Flag.GAP


def test_a_state_goes_on_over_a_restart_and_keeps_its_beginning() -> None:
    box = Box()
    parked(box, range(40))
    since_ms = msgspec.json.decode(last(box, "state"), type=StateBody).since_ms
    box.restart(100)
    parked(box, range(100, 400))
    state = msgspec.json.decode(last(box, "state"), type=StateBody)
    assert (state.since_ms, state.confirmed) == (since_ms, True)


def test_an_alert_goes_on_over_a_restart() -> None:
    box = Box()
    parked(box, range(400))
    before = last(box, "alert", "parked")
    box.restart(500)
    parked(box, range(500, 520))
    assert msgspec.json.decode(before)["status"] == "firing"
    assert last(box, "alert", "parked") == before


def test_a_state_that_began_while_nobody_watched_begins_when_it_was_seen() -> None:
    box = Box()
    parked(box, range(40))
    box.turn(3640, [gpu(3640)], [page(3640, flow(output_tokens=5000), facts=SERVER)])
    state = msgspec.json.decode(last(box, "state"), type=StateBody)
    assert (state.state, state.since_ms) == (State.SERVING, NOON_MS + 3_640_000)


def test_entities_of_another_host_are_not_mixed_up() -> None:
    box = Box()
    first = box.turn(0, [gpu(0)])
    elsewhere = tuple(msgspec.structs.replace(entity, host="other") for entity in first.entities)
    box.records[0] = msgspec.structs.replace(first, entities=elsewhere)
    box.restart(1)
    assert [entity.host for entity in box.turn(1, [gpu(1)]).entities] == ["box", "box"]
