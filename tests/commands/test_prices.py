"""`tokwatch prices`: the book shown and explained, restated, closed, and taken up from the config."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.commands.box import CommandBox
from tests.feeds.quiet_box import NOON_MS, AdvancedClock, record_ticks
from tokwatch.cli import make_parser
from tokwatch.commands import prices
from tokwatch.errors import EXPECTED
from tokwatch.exits import Exit
from tokwatch.exports.hours import parse_instant
from tokwatch.feeds.history import read_book
from tokwatch.ledger.prices.book import PriceBook
from tokwatch.store.reader import Reader
from tokwatch.store.telling import telling

BEGUN_MS = NOON_MS - 20 * 86_400_000  # 2026-11-01: long past wherever this runs
CONFIG = """
[prices]
usd_per_gpu_hour = 2.35
effective_from = 2026-11-01T00:00:00Z

[prices.electricity]
usd_per_kwh = 0.2

[prices.facility]
pue = 1.3

[[prices.tokens]]
input = 0.55
output = 2.19

[prices.tiers]
batch = 0.5
"""


class Command:
    """`tokwatch prices` on a store with one GPU, and on a config."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.store, self.config = folder / "store.db", folder / "config.toml"
        self._capsys, self._monkeypatch = capsys, monkeypatch
        self.config.write_text(CONFIG)
        self.at("2026-11-21T12:00:10")

    def at(self, time: str) -> None:
        """The time it is when the command runs."""
        now_ms = parse_instant(time)
        self._monkeypatch.setattr(prices, "_now_ms", lambda: now_ms)

    def run(self, *words: str) -> str:
        """What it prints."""
        flags = ["--store", str(self.store), "--config", str(self.config)]
        assert prices.run(make_parser().parse_args(["prices", *words, *flags])) == Exit.DONE
        return self._capsys.readouterr().out

    def refused(self, *words: str) -> str:
        with pytest.raises(EXPECTED) as error:
            self.run(*words)
        return str(error.value)

    def json(self) -> dict[str, Any]:
        shown: dict[str, Any] = json.loads(self.run("--json"))
        return shown

    @property
    def book(self) -> PriceBook:
        with Reader(self.store) as reader:
            return read_book(reader)


@pytest.fixture
async def command(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    made = Command(tmp_path, capsys, monkeypatch)
    await record_ticks(made.store, AdvancedClock(), 2)
    return made


RESTATE = ("restate", "--from", "2026-11-05", "--to", "2026-11-06", "--reason", "the invoice says 1.99")


def test_an_empty_book_says_how_to_fill_it(command: Command) -> None:
    assert command.run().splitlines() == [
        "The price book is empty: write [prices] in the config (see `tokwatch prices example`).",
        "The config has other prices: they are taken up when recording begins, or by `tokwatch prices import`.",
        "Nothing has a price now.",
    ]


def test_the_configs_prices_are_taken_up_beside_a_recorder_and_only_once(command: Command) -> None:
    assert command.run("import").startswith(
        "the prices of the config are version 1 of the price book, in force from 2026"
    )
    assert command.run("import") == "the prices of the config are in the price book already\n"
    assert [(each.id, each.source) for each in command.book.versions] == [(1, "config")]


def test_the_book_is_shown_and_explained(command: Command) -> None:
    command.run("import")
    shown = command.run()
    for line in (
        "version  from                  source",
        "1        2026-11-01T00:00:00Z  config  in force",
        "In force now, 2026-11-21T12:00:10Z: version 1. Amounts in USD.",
        "NVIDIA H100 80GB HBM3  dgx-03  1     rent   2.35  2.35   included",
        "Electricity (flat): 0.2 a kWh.",
        "Energy in money covers: board × PUE (PUE 1.3; the hosts' own power is not counted).",
        "all other models         standard  0.55   0.55    2.19",
        "Tiers: batch × 0.5",
    ):
        assert line in shown.splitlines()


def test_everything_is_there_for_programs(command: Command) -> None:
    command.run("import")
    shown = command.json()
    assert (shown["in_force"], shown["config_imported"], shown["energy_basis"]) == (1, True, "board × PUE")
    (gpu,) = shown["gpus"]
    assert (gpu["gpu"], gpu["basis"], gpu["usd_per_hour"]["rent"]) == ("GPU-1", "rent", 2.35)
    assert shown["electricity"] == {"kind": "flat", "usd_per_kwh": 0.2, "changes": None, "then_usd_per_kwh": None}
    assert shown["versions"][0]["prices"]["usd_per_gpu_hour"] == 2.35


def test_owned_gpus_are_shown_by_part_and_with_the_next_edge_of_the_tariff(command: Command) -> None:
    command.config.write_text(command.run("example", "own"))
    command.run("import")
    assert "own    1.37296  0.22831  0.32147  1.92274  included" in command.run()
    command.config.write_text(command.run("example", "tou"))
    command.run("import")
    command.at("2026-11-23T12:00:10")
    assert "Electricity (time of use): 0.06 a kWh, from 2026-11-23T14:00:00Z 0.085." in command.run().splitlines()


def test_a_price_to_come_is_flagged(command: Command) -> None:
    command.config.write_text(CONFIG.replace("2026-11-01", "2026-12-01"))
    assert "which is in 9 days; until then nothing has a price" in command.run("import")
    assert "1        2026-12-01T00:00:00Z  config  to come" in command.run().splitlines()
    assert command.json()["in_force"] is None


def test_a_past_time_is_restated_and_both_prices_stay(command: Command) -> None:
    command.run("import")
    told = command.run(*RESTATE, "--price", "1.99")
    assert told.startswith("version 2 of the price book holds from 2026-11-05T00:00:00Z to 2026-11-06T00:00:00Z")
    book = command.book
    assert [(each.id, each.prices.usd_per_gpu_hour) for each in book.versions] == [(1, 2.35), (2, 1.99)]
    restated = book.versions[1]
    assert (restated.reason, restated.prices.electricity) == (
        "the invoice says 1.99",
        book.versions[0].prices.electricity,
    )
    assert [version["holds"] for version in command.json()["versions"]] == ["in force", "restated"]


def test_a_reason_is_told_and_kept_without_what_a_terminal_obeys(command: Command) -> None:
    command.run("import")
    command.run(*RESTATE[:-1], "wrong\x1b[31m\n2.35", "--price", "1.99")
    assert command.book.versions[1].reason == "wrong\ufffd[31m\ufffd2.35"


def test_restating_the_rent_keeps_what_else_held_on_either_side_of_a_change(command: Command) -> None:
    command.run("import")
    command.config.write_text(
        CONFIG.replace("0.2", "0.3").replace("11-01", "11-05T12:00:00").replace("T00:00:00Z", "Z")
    )
    command.run("import")
    command.run(*RESTATE, "--price", "1.99")
    restated = [each for each in command.book.versions if each.restates]
    assert [each.prices.usd_per_gpu_hour for each in restated] == [1.99, 1.99]
    assert [each.prices.electricity for each in restated] == [
        command.book.versions[0].prices.electricity,
        command.book.versions[-1].prices.electricity,
    ]


def test_without_a_price_the_configs_prices_are_what_really_held(command: Command) -> None:
    command.run("import")
    command.config.write_text(CONFIG.replace("2.35", "2.1"))
    command.run(*RESTATE)
    assert [each.prices.usd_per_gpu_hour for each in command.book.versions if each.restates] == [2.1]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--from", "2026-11-06", "--to", "2026-11-05", "--reason", "x"), "must lie before --to"),
        (
            ("--from", "2026-11-05", "--to", "2026-12-05", "--reason", "x"),
            "is still to come: only the past is restated",
        ),
        (("--from", "2026-11-05", "--to", "2026-11-06", "--reason", " "), "--reason: say what was wrong"),
        (("--from", "yesterday", "--to", "2026-11-06", "--reason", "x"), "is no date and time"),
    ],
)
def test_what_cannot_be_restated_is_told(command: Command, words: tuple[str, ...], message: str) -> None:
    assert message in command.refused("restate", *words)
    assert command.book.versions == ()


def test_a_closed_month_is_not_restated(command: Command) -> None:
    command.run("import")
    assert (
        command.run("close", "2026-10") == "2026-10 is closed: prices that are recorded from now on do not touch it\n"
    )
    message = command.refused("restate", "--from", "2026-10-30", "--to", "2026-11-02", "--reason", "x")
    assert message == (
        "2026-10 was closed on 2026-11-21T12:00:10Z and its prices are final: "
        "restate up to 2026-10-01T00:00:00Z, or from 2026-11-01T00:00:00Z on"
    )
    command.run(*RESTATE)
    assert "Closed months: 2026-10" in command.run().splitlines()


def test_only_a_month_that_is_over_and_open_is_closed(command: Command) -> None:
    assert "2026-11 is not over: it can be closed from 2026-12-01T00:00:00Z on" in command.refused("close", "2026-11")
    assert "'2026-13' is no month" in command.refused("close", "2026-13")
    command.at("2026-12-01T00:00:00")
    command.run("close", "2026-11")
    assert "2026-11 is closed already, since 2026-12-01T00:00:00Z" in command.refused("close", "2026-11")


def test_examples_are_listed_and_printed(command: Command) -> None:
    assert [line.split()[0] for line in command.run("example").splitlines()] == [
        "dayahead",
        "own",
        "owners",
        "power",
        "rent",
        "tokens",
        "tou",
    ]
    assert "usd_per_gpu_hour = 2.35" in command.run("example", "rent")
    assert "there is no example 'free'" in command.refused("example", "free")


def test_a_config_without_prices_says_where_to_find_some(command: Command) -> None:
    command.config.write_text("")
    assert "tokwatch prices example" in command.refused("import")
    assert "tokwatch prices example" in command.refused(*RESTATE)


def test_names_from_a_store_somebody_shared_are_cleaned(command: Command) -> None:
    command.run("import")
    with telling(command.store) as connection:
        connection.execute("UPDATE price_version SET reason = 'x' || char(27) || '[2J', source = char(27) || ']0;'")
    assert "\x1b" not in command.run()
    assert "\x1b" not in command.run("--json")


def test_a_recorder_says_what_it_took_up_and_loses_no_tick_while_prices_are_told(tmp_path: Path) -> None:
    box = CommandBox(tmp_path)
    settings = box.config.read_text()
    box.config.write_text(settings + CONFIG)
    recording = box.start_recording()
    recording.wait_for_ticks(3)
    box.config.write_text(settings + CONFIG.replace("2.35", "2.5"))
    imported = box.run(box.command("prices", "import"))
    restated = box.run(box.command("prices", *RESTATE, "--price", "1.99"))
    recording.wait_for_ticks(6)
    ticks, _, said = recording.end()
    assert (imported.returncode, restated.returncode) == (0, 0), imported.stderr + restated.stderr
    assert said.count("tokwatch: the prices of the config are version 1 of the price book") == 1
    assert "lost" not in said
    with Reader(box.store) as reader:
        assert [record.tick.tick_ms for record in reader.records(None, 0, ticks[-1])] == ticks
        assert [each.id for each in sorted(read_book(reader).versions, key=lambda each: each.id)] == [1, 2, 3]
