"""The energy counter: exact through missed reads and glitches, a lower bound with its bound through resets."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from tokwatch.ledger.energy import EnergyMeter, EnergyStep
from tokwatch.ledger.entries import Flag

LIMIT_W = 700.0
POWER_W = 300
PER_SECOND_MJ = POWER_W * 1000
CAP_MJ = round(1.2 * LIMIT_W * 1000)  # what a board may draw in a second
CAP_TICK_MJ = CAP_MJ * 13 // 10  # … and the slack
START_MJ = 50_000_000


@dataclass
class Board:
    """A board and its meter, a second a tick. `counter` is what the driver shows, `true_mj` what was drawn."""

    counter: int = START_MJ
    true_mj: int = 0
    second: int = 0
    meter: EnergyMeter = field(default_factory=EnergyMeter)
    steps: list[EnergyStep] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.read()

    def draw(self, energy_mj: int, seconds: int = 1) -> None:
        self.second += seconds
        self.true_mj += energy_mj
        self.counter += energy_mj

    def read(self, shown: int | None = -1, power_w: float | None = POWER_W) -> EnergyStep:
        """Read the counter, or a value that the driver shows instead."""
        value = self.counter if shown == -1 else shown
        self.steps.append(self.meter.step(self.second * 1000, value, power_w, LIMIT_W))
        return self.steps[-1]

    def run(self, seconds: int) -> None:
        for _ in range(seconds):
            self.draw(PER_SECOND_MJ)
            self.read()

    @property
    def counted_mj(self) -> int:
        return sum(step.energy_mj or 0 for step in self.steps)

    @property
    def lost_mj(self) -> int:
        return sum(step.lost_mj for step in self.steps)

    @property
    def measured_s(self) -> float:
        return sum(step.measured_ms for step in self.steps) / 1000


def test_a_clean_counter_is_counted_exactly() -> None:
    board = Board()
    board.run(200)
    assert (board.counted_mj, board.measured_s, board.lost_mj) == (200 * PER_SECOND_MJ, 200, 0)
    assert board.steps[0].flags == Flag.BASELINE
    assert not any(step.flags for step in board.steps[1:])


def test_thirty_missed_reads_lose_nothing() -> None:
    board = Board()
    board.run(100)
    board.draw(30 * PER_SECOND_MJ, 30)
    board.run(70)
    assert (board.counted_mj, board.measured_s, board.lost_mj) == (200 * PER_SECOND_MJ, 200, 0)


def test_a_low_glitch_and_a_huge_one_cost_nothing() -> None:
    for shown in (200_000, 2**60):
        board = Board()
        board.run(100)
        board.draw(PER_SECOND_MJ)
        assert board.read(shown) == EnergyStep(None, 0, Flag.SUSPECT, CAP_MJ)
        board.run(99)
        assert (board.counted_mj, board.measured_s, board.lost_mj) == (200 * PER_SECOND_MJ, 200, 0)


def test_glitches_in_a_row_cost_nothing_either() -> None:
    board = Board()
    board.run(100)
    for shown in (2**60, 42, 2**59):
        board.draw(PER_SECOND_MJ)
        assert board.read(shown).flags == Flag.SUSPECT
    board.run(97)
    assert (board.counted_mj, board.measured_s, board.lost_mj) == (200 * PER_SECOND_MJ, 200, 0)


def test_one_reset_loses_at_most_the_tick_it_fell_into() -> None:
    board = Board()
    board.run(100)
    board.draw(PER_SECOND_MJ // 2, 0)
    board.counter = 0
    board.draw(PER_SECOND_MJ // 2)
    board.read()
    board.run(99)
    assert board.counted_mj == board.true_mj - PER_SECOND_MJ // 2
    assert board.steps[102].flags == Flag.RESET
    assert board.measured_s == 200


def test_a_reset_tells_the_most_that_may_be_missing() -> None:
    board = Board()
    board.run(100)
    board.counter = 0
    board.run(2)
    assert board.lost_mj == 2 * CAP_MJ - 2 * PER_SECOND_MJ


def test_a_reset_inside_an_outage_loses_exactly_what_came_before_it() -> None:
    board = Board()
    board.run(100)
    board.draw(21 * PER_SECOND_MJ, 21)
    board.counter = 0
    board.draw(19 * PER_SECOND_MJ, 19)
    board.read()
    board.run(60)
    assert board.counted_mj == board.true_mj - 21 * PER_SECOND_MJ
    assert board.lost_mj == 41 * CAP_MJ - 20 * PER_SECOND_MJ


def test_two_resets_in_two_ticks_count_what_came_after_the_second() -> None:
    board = Board()
    board.run(100)
    for part_mj in (PER_SECOND_MJ // 2, PER_SECOND_MJ // 4):
        board.counter = 0
        board.draw(part_mj)
        assert board.read().flags == Flag.SUSPECT
    board.run(98)
    assert board.counted_mj == board.true_mj - PER_SECOND_MJ // 2
    assert board.true_mj <= board.counted_mj + board.lost_mj


def test_a_counter_that_jumps_to_where_it_never_was_counts_on_from_there() -> None:
    board = Board()
    board.run(100)
    board.counter = 2**50
    board.run(2)
    assert board.counted_mj == 101 * PER_SECOND_MJ
    assert board.lost_mj == 2 * CAP_MJ - PER_SECOND_MJ


def test_an_unknown_counter_adds_nothing_and_the_next_reading_holds_it() -> None:
    board = Board()
    board.run(10)
    board.draw(PER_SECOND_MJ)
    assert board.read(None) == EnergyStep(None, 0, Flag(0), CAP_MJ)
    board.run(1)
    assert (board.counted_mj, board.measured_s, board.lost_mj) == (12 * PER_SECOND_MJ, 12, 0)


def test_while_a_counter_cannot_be_read_the_most_that_was_drawn_is_told_as_lost_tick_by_tick() -> None:
    board = Board()
    board.run(10)
    for _ in range(600):
        board.draw(PER_SECOND_MJ)
        assert board.read(None, None).lost_mj == CAP_MJ


def test_a_young_counter_may_hide_that_it_restarted_so_that_much_may_be_missing() -> None:
    board = Board(counter=0)
    board.draw(40 * PER_SECOND_MJ, 40)  # reset after 30 s of these: it shows what the last 10 s drew
    board.counter = 10 * PER_SECOND_MJ
    assert board.read() == EnergyStep(10 * PER_SECOND_MJ, 40_000, Flag(0), 40 * CAP_MJ - 10 * PER_SECOND_MJ)


def test_a_limit_that_was_lowered_still_allows_what_was_drawn_before() -> None:
    meter = EnergyMeter()
    meter.step(0, START_MJ, 690.0, 700.0)
    assert meter.step(1000, START_MJ + 690_000, 300.0, 300.0).energy_mj == 690_000
    assert meter.step(2000, START_MJ + 690_000 + 600_000, 300.0, 300.0).flags == Flag.SUSPECT


def test_a_late_answer_adds_nothing() -> None:
    board = Board()
    board.run(10)
    board.second -= 5
    assert board.read(board.counter - 5 * PER_SECOND_MJ) == EnergyStep(None, 0, Flag(0))
    board.second += 5
    board.run(1)
    assert (board.counted_mj, board.measured_s) == (11 * PER_SECOND_MJ, 11)


def test_a_board_without_a_known_limit_is_still_guarded() -> None:
    meter = EnergyMeter()
    meter.step(0, 0, 300.0, None)
    assert meter.step(1000, 3_900_000, 300.0, None).energy_mj == 3_900_000
    assert meter.step(2000, 9_000_000, 300.0, None).flags == Flag.SUSPECT


# --- stuck counters ---------------------------------------------------------------------------------------------------


def stuck(board: Board, seconds: int, power_w: float | None = POWER_W) -> None:
    """Seconds in which the board draws and the counter stands."""
    for _ in range(seconds):
        board.second += 1
        board.true_mj += PER_SECOND_MJ
        board.read(power_w=power_w)


def test_a_counter_that_stands_for_three_seconds_under_power_is_replaced_by_the_integral_of_power() -> None:
    board = Board()
    board.run(10)
    stuck(board, 2)
    assert [step.flags for step in board.steps[-2:]] == [Flag(0), Flag(0)]
    stuck(board, 8)
    assert all(step.flags == Flag.ESTIMATED | Flag.STUCK for step in board.steps[-8:])
    assert (board.counted_mj, board.measured_s) == (20 * PER_SECOND_MJ, 20)


def test_a_stuck_counter_that_resumes_where_it_stood_counts_nothing_twice() -> None:
    board = Board()
    board.run(10)
    stuck(board, 10)
    board.run(10)
    assert board.counted_mj == board.true_mj


def test_a_stuck_counter_that_catches_up_in_one_jump_counts_nothing_twice() -> None:
    board = Board()
    board.run(10)
    stuck(board, 10)
    board.counter += 10 * PER_SECOND_MJ
    board.run(10)
    assert board.counted_mj == board.true_mj


def test_ticks_shorter_than_the_counters_steps_know_their_energy_too() -> None:
    meter = EnergyMeter()
    counters = [START_MJ + at_ms // 100 * 30_000 for at_ms in range(0, 1000, 40)]
    steps = [meter.step(40 * tick, shown, POWER_W, LIMIT_W) for tick, shown in enumerate(counters)]
    assert all(step.energy_mj is not None and not step.lost_mj for step in steps[1:])
    assert sum(step.energy_mj or 0 for step in steps) == counters[-1] - START_MJ


def test_a_counter_that_is_stuck_is_found_out_by_short_ticks_as_well() -> None:
    meter = EnergyMeter()
    steps = [meter.step(100 * tick, START_MJ, POWER_W, LIMIT_W) for tick in range(101)]
    assert sum(step.energy_mj or 0 for step in steps) == 10 * PER_SECOND_MJ - 3 * PER_SECOND_MJ // 10
    assert (steps[30].flags, steps[-1].lost_mj) == (Flag.ESTIMATED | Flag.STUCK, 0)


def test_a_counter_that_moves_only_every_other_second_is_exact() -> None:
    board = Board()
    for _ in range(20):
        board.second += 1
        board.true_mj += PER_SECOND_MJ
        if board.second % 2 == 0:
            board.counter += 2 * PER_SECOND_MJ
        board.read()
    assert (board.counted_mj, board.measured_s, board.lost_mj) == (board.true_mj, 20, 0)


def test_a_stuck_counter_without_power_samples_is_unknown_and_not_zero() -> None:
    board = Board()
    board.run(10)
    stuck(board, 5)
    board.second += 30
    assert board.read() == EnergyStep(None, 0, Flag.STUCK, 30 * CAP_MJ)
    board.second += 1
    assert board.read(power_w=None) == EnergyStep(None, 0, Flag.STUCK, CAP_MJ)


def test_a_counter_that_stands_through_a_long_gap_under_power_is_unknown_and_not_zero() -> None:
    board = Board()
    board.run(10)
    board.second += 10
    assert board.read() == EnergyStep(None, 0, Flag.STUCK, 10 * CAP_MJ)


def test_a_counter_that_stands_while_nothing_is_drawn_is_right() -> None:
    meter = EnergyMeter()
    steps = [meter.step(second * 1000, 5, 0.0, LIMIT_W) for second in range(10)]
    assert steps[1:] == [EnergyStep(0, 1000, Flag(0))] * 9


# --- across runs ------------------------------------------------------------------------------------------------------


def test_a_new_run_that_resumes_at_the_base_counts_the_gap_exactly() -> None:
    board = Board()
    board.run(10)
    board.draw(PER_SECOND_MJ)
    board.read(2**60)  # the last thing the earlier run saw was a glitch
    base = board.meter.base
    assert base is not None
    board.meter = EnergyMeter()
    board.meter.resume(*base)
    board.draw(600 * PER_SECOND_MJ, 600)
    board.run(1)
    assert (board.counted_mj, board.measured_s) == (612 * PER_SECOND_MJ, 612)


# --- any sequence -----------------------------------------------------------------------------------------------------

power = st.integers(1000, int(LIMIT_W) * 1000)  # millijoules in a second
trouble = st.sampled_from(["none", "missed", "low glitch", "high glitch", "reset"])
episodes = st.lists(st.tuples(st.lists(power, min_size=3, max_size=6), trouble, power, st.integers(1, 40)), max_size=12)


@given(episodes)
def test_what_is_counted_is_what_was_drawn_less_what_resets_lost(
    episodes: list[tuple[list[int], str, int, int]],
) -> None:
    board = Board()
    lost_mj = 0
    for clean, kind, each_mj, seconds in episodes:
        for energy_mj in clean:
            board.draw(energy_mj)
            board.read()
        if kind == "missed":
            board.draw(each_mj * seconds, seconds)
        elif kind == "low glitch":
            board.draw(each_mj)
            board.read(board.counter // 1000)
        elif kind == "high glitch":
            board.draw(each_mj)
            board.read(2**60)
        elif kind == "reset":
            base = board.counter
            board.draw(each_mj * seconds, seconds)
            lost_mj += each_mj * seconds
            board.counter = 0
            for _ in range(2):
                board.draw(each_mj)
                board.read()
            # A young counter that is soon beyond its old value hides its reset: what it had is lost too.
            lost_mj += base if board.counter >= base else 0
    board.run(3)
    assert board.counted_mj == board.true_mj - lost_mj


@given(st.lists(st.none() | st.integers(0, 2**60) | st.integers(0, 10**6), max_size=30))
def test_no_sequence_of_readings_counts_more_than_the_board_can_draw(shown: list[int | None]) -> None:
    board = Board()
    for value in shown:
        board.second += 1
        step = board.read(value)
        assert step.energy_mj is None or step.energy_mj >= 0
    assert board.counted_mj <= CAP_TICK_MJ * max(1, len(shown))
