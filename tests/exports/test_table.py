"""The plain text of a Snapshot: every figure or its reason, and nothing that a terminal could obey."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.dashboard import snapshots
from tokwatch.exports.table import plain_table
from tokwatch.ledger.snapshot import Figure, Interval, Quantiles, Snapshot

BOX = snapshots.all_at_work()


def test_the_headline_has_every_figure() -> None:
    lines = plain_table(BOX).splitlines()
    assert lines[0].startswith("tokwatch  dgx-03  8× H100 80GB  vLLM ×2, SGLang ×1")
    assert "output tok/s    12431" in lines
    assert "USD/M output    0.42" in lines
    assert "idle USD/h      0.00  (0 of 8 GPUs)" in lines


def test_an_unknown_figure_stands_with_its_reason() -> None:
    text = plain_table(snapshots.no_price())
    assert "USD/M output    – (no price set)" in text
    assert "idle USD today  – (no price set)" in text
    assert "output tok/s    – (warming up)" in plain_table(snapshots.warming_up())


def test_every_gpu_and_server_has_its_line() -> None:
    text = plain_table(snapshots.every_state())
    for state in ("serving", "parked", "held", "unallocated", "loading", "other work", "blind", "lost", "unknown"):
        assert f" {state} " in text
    assert "∞" in text
    for server in BOX.servers:
        assert f"\n{server.address} " in text


def test_what_the_rows_of_the_gpus_leave_out_of_the_total_has_a_row_of_its_own() -> None:
    totals = replace(BOX.totals, unplaced=("Small-1B", "b:1"), unplaced_tok_s=Figure(186.4))
    (line,) = [line for line in plain_table(replace(BOX, totals=totals)).splitlines() if "on no GPU" in line]
    assert line.split() == ["on", "no", "GPU", "Small-1B", "+", "b:1", "186"]
    assert "on no GPU" not in plain_table(BOX)


def test_what_a_server_suffers_from_is_told() -> None:
    assert "127.0.0.1:8000: connection refused" in plain_table(snapshots.down_server())


def test_nothing_found_tells_what_was_looked_for_and_what_to_try() -> None:
    text = plain_table(snapshots.nothing_found())
    assert "no  NVIDIA driver: libnvidia-ml.so.1 is not installed" in text
    assert "try: on a GPU box: install the NVIDIA driver" in text


def test_processors_alone_are_nothing_found_and_have_their_row() -> None:
    box = replace(snapshots.processors(), servers=())
    text = plain_table(box)
    assert "\ncpu  serving" in text
    assert "  CPU W  " in text
    assert "(0 of 1 CPU)" in text
    assert "Nothing to watch was found." in text


def test_marks_are_written_and_those_that_occur_are_explained() -> None:
    text = plain_table(snapshots.shared_and_ailing())
    assert "output tok/s    «12431" in text
    assert "USD/M output    ÷0.42" in text
    assert "\n÷  rests on GPUs that several servers share" in text
    assert "\n~  estimated" in text
    assert "rests on" not in plain_table(BOX)


def test_a_mark_of_a_figure_that_is_not_known_needs_no_words() -> None:
    row = replace(BOX.gpus[0], power_w=Figure(None, "lost", marks=("module",)))
    assert "MOD. W" not in plain_table(replace(BOX, gpus=(row, *BOX.gpus[1:])))


def test_time_per_token_is_of_the_kind_that_the_server_tells() -> None:
    kinds = Quantiles(p95=Interval(0.03, 0.04))
    untold = Interval(None, None, "no request finished")
    server = replace(BOX.servers[0], tpot_p95_s=untold, itl_s=kinds, per_token="per token")
    text = plain_table(replace(BOX, servers=(server,)))
    assert "  0.03–0.04\n127.0.0.1:8000: its TPOT95 is per token" in text


def test_devices_at_fault_are_told_below_their_rows() -> None:
    assert "\n4: Xid 79: GPU fell off the bus" in plain_table(snapshots.shared_and_ailing())


def test_a_demo_says_that_it_is_one() -> None:
    assert plain_table(replace(BOX, kind="simulated")).splitlines()[0].endswith("SIMULATED")


@pytest.mark.parametrize("width", [20, 80, 100])
def test_no_line_is_wider_than_asked(width: int) -> None:
    assert max(map(len, plain_table(snapshots.every_state(), width).splitlines())) <= width


def test_wide_characters_take_two_cells() -> None:
    wide = replace(BOX, host="模型" * 60)
    assert len(plain_table(wide, 80).splitlines()[0]) < 50


hostile = st.text(st.characters(exclude_categories=["Cs"]), max_size=40) | st.sampled_from(
    ["\x1b]0;evil\x07", "\x9b31m", "a\nb\rc\td", "\u202eevil", "[red]x[/red]", "\x00"]
)


@given(hostile)
@settings(max_examples=60, deadline=None)
def test_no_label_brings_a_control_character(text: str) -> None:
    plain = plain_table(poisoned(snapshots.down_server(), text)) + plain_table(
        poisoned(snapshots.nothing_found(), text)
    )
    assert not [
        character for character in plain if character != "\n" and not character.isprintable() and ord(character) < 0xA0
    ]
    assert "\u202e" not in plain


def poisoned(snapshot: Snapshot, text: str) -> Snapshot:
    """Every text of a Snapshot that comes from outside, replaced."""
    return replace(
        snapshot,
        host=text,
        hardware=text,
        engines=((text, 1),),
        currency=text,
        price=text,
        problems=(text,),
        gpus=tuple(replace(row, serves=text, state=text) for row in snapshot.gpus),
        alerts=tuple(replace(row, text=text, state=text, status=text) for row in snapshot.alerts),
        servers=tuple(
            replace(row, address=text, model=text, engine=text, problem=text, verified=False)
            for row in snapshot.servers
        ),
        probes=tuple(replace(row, name=text, found=text, hint=text) for row in snapshot.probes),
        totals=replace(snapshot.totals, tok_s=replace(snapshot.totals.tok_s, value=None, why=text)),
    )
