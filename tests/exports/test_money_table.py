"""The money report in words: 100 columns, nothing unknown without its reason, nothing hostile on the screen."""

from __future__ import annotations

from msgspec.structs import replace

from tests.exports.box import (
    FACTS,
    GPU_1,
    NOON_MS,
    QWEN,
    QWEN_FLOW,
    TENANT_FLOW,
    background,
    flow_quarter,
    gpu_quarter,
    server_facts,
    version,
)
from tests.exports.money.sums import END_MS, gathered
from tokwatch.exports.background import Background
from tokwatch.exports.money.demand import Asking
from tokwatch.exports.money.read import Question, composed
from tokwatch.exports.money.report import Report
from tokwatch.exports.money_table import WIDTH, money_table
from tokwatch.exports.money_words import Words, amount, count, percent, quantity
from tokwatch.exports.selection import Selection
from tokwatch.ledger.entries import State
from tokwatch.ledger.figure import Figure, Interval
from tokwatch.ledger.local_time import zone_of
from tokwatch.ledger.prices.electricity import Flat
from tokwatch.ledger.prices.facility import Carbon, Facility
from tokwatch.ledger.prices.gpu_terms import Own, Rent
from tokwatch.ledger.prices.token_prices import TaskValue, TokenPrice, Tokens
from tokwatch.store.quarters import Quarters
from tokwatch.store.rollup import QUARTER_MS

FLOWS = [
    *(flow_quarter(number, QWEN_FLOW, output=500_000 + number) for number in range(4)),
    flow_quarter(0, TENANT_FLOW),
]
GPUS = [
    *(gpu_quarter(number, idle_energy_mj=0) for number in range(4)),
    gpu_quarter(0, GPU_1, 0, {State.UNALLOCATED: QUARTER_MS}, 54_000_000, idle_energy_mj=54_000_000),
]
FULL = version(
    Own(server_usd=320_000, gpus_per_server=8, years=4, opex_rate=0.05),
    electricity=Flat(0.10),
    facility=Facility(pue=1.3, host="ratio", host_ratio=0.4, carbon=Carbon(348, "eGRID", 2023)),
    tokens=Tokens((TokenPrice(2.19, 0.55),), api=(TokenPrice(2.19, 0.55),), tasks=(TaskValue(0.01),)),
)


def report(known: Background, question: Question = Question(), simulated: bool = False) -> Report:  # noqa: B008 - frozen
    quarters = Quarters(GPUS, FLOWS, [])
    period = gathered(quarters, known, each_gpu=question.by == "gpu", each_quarter=question.curve)
    period.simulated = simulated
    asking = Asking(known.names, zone_of("UTC"), "UTC")
    asking.take(FLOWS)
    selection = Selection(None, NOON_MS, END_MS)
    return composed(period, known, selection, question, "UTC", asking if question.demand else None)


EVERYTHING = Question(
    by="tenant", rent_usd_per_gpu_hour=2.35, what_if={"gpu_price": 0.8, "pue": 1.1}, curve=True, demand=True
)


def test_everything_that_is_asked_has_its_block_within_100_columns() -> None:
    text = money_table(report(background(FULL), EVERYTHING))
    assert all(len(line) <= WIDTH for line in text.splitlines())
    for heading in ("BILL", "ENERGY", "WHAT A TOKEN COST", "A FINISHED REQUEST", "WHAT IT EARNED", "BY TENANT"):
        assert heading in text
    for heading in ("BREAK-EVEN", "OWN GPUs AGAINST AN API", "COST CURVE", "DEMAND BY HOUR OF DAY", "WHAT IF"):
        assert heading in text
    assert "(boards + hosts) × PUE" in text
    assert "price version 1, from 1970-01-01T00:00:00Z (config)" in text
    assert "assumed: the fixed cost does not follow load" in text


def test_what_is_not_known_is_a_dash_with_its_reason_below() -> None:
    text = money_table(report(background()))
    assert "no price set" in text
    assert "no token prices set" in text
    assert "no carbon factor set" in text
    assert "nan" not in text.lower().replace("finan", "")
    assert "None" not in text
    unknown = [line for line in text.splitlines() if line.startswith("–  ")]
    assert all(": " in line for line in unknown)


def test_board_energy_says_that_it_is() -> None:
    text = money_table(report(background(version(Rent(2.0)))))
    assert "no PUE and no host's share are set, so all energy is that of the boards" in text


def test_a_simulated_period_is_marked() -> None:
    assert "SIMULATED" in money_table(report(background(FULL), simulated=True)).splitlines()[0]
    assert "SIMULATED" not in money_table(report(background(FULL)))


def test_a_restatement_says_why() -> None:
    restated = version(Rent(3.0), NOON_MS, 2, until_ms=END_MS)
    text = money_table(report(background(FULL, replace(restated, reason="invoice of November"))))
    assert "restated: invoice of November" in text


def test_a_hostile_label_cannot_draw() -> None:
    facts = (*FACTS, server_facts(QWEN, "127.0.0.1:8000", "vllm", "qwen", deployment="\x1b[31mred\nprod"))
    text = money_table(report(background(FULL, facts=facts)))
    assert "\x1b" not in text
    assert "red" in text


def test_rows_close_with_the_total() -> None:
    lines = money_table(report(background(FULL))).splitlines()
    table = lines[lines.index("BY DEPLOYMENT (USD)") :]
    names = [line.split()[0] for line in table[1 : table.index("")]]
    assert names == ["DEPLOYMENT", "127.0.0.1:8000", "(unassigned)", "total"]


# --- figures in words -------------------------------------------------------------------------------------------------


def test_numbers_are_written_as_people_read_them() -> None:
    assert [amount(value) for value in (0, 0.0028, 0.2319, 87072, -1.5)] == [
        "0.00",
        "0.0028",
        "0.2319",
        "87 072.00",
        "-1.50",
    ]
    assert [quantity(value) for value in (0.12, 12.345, 298.07, 27083.4)] == ["0.12", "12.35", "298.1", "27 083"]
    assert [percent(value) for value in (0.8182, 1.0, -2.961)] == ["81.8 %", "100.0 %", "-296.1 %"]
    assert count(1234567.8) == "1 234 568"


def test_a_reason_is_told_once_with_all_that_it_is_of() -> None:
    words = Words()
    assert words.figure("revenue", Figure(None, "no token prices set"), amount) == "–"
    assert words.figure("margin", Figure(None, "no token prices set"), percent) == "–"
    assert words.figure("revenue", Figure(None, "no token prices set"), amount) == "–"
    assert words.reasons == ["–  revenue, margin: no token prices set"]


def test_marks_are_signs_with_a_legend() -> None:
    words = Words()
    assert words.figure("cost", Figure(1.5, marks=("allocated", "part")), amount) == "*÷1.50"
    assert [line[0] for line in words.legend] == ["*", "÷"]


def test_an_interval_without_an_upper_bound_ends_in_infinity() -> None:
    words = Words()
    assert words.interval("useful", Interval(2.0, None, marks=("est",)), amount) == "~2.00–∞"
    assert words.interval("useful", Interval(2.0, 2.0), amount) == "2.00"
    assert words.figure("cost", Figure(None, "no tokens", infinite=True), amount) == "∞"
    assert words.reasons == ["∞  cost: it cost something, and there were no tokens"]
