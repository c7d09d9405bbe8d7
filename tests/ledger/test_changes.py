"""What is kept of what changes: each change once, and no more of them than a store can hold for years."""

from __future__ import annotations

from tokwatch.ledger.bodies import ProbeBody, ProblemBody, XidBody
from tokwatch.ledger.changes import Changes
from tokwatch.ledger.news_limit import FREE, REFILL_MS, NewsLimit, Place

NOON_MS = 1_795_262_400_000


class Kept:
    """What is in force, tick by tick."""

    def __init__(self) -> None:
        self.bodies: dict[Place, bytes] = {}
        self.limit = NewsLimit()
        self.events = 0

    def tick(self, at_ms: int, *problems: str) -> None:
        changes = Changes(at_ms, self.bodies, self.limit)
        for words in problems:
            changes.note("problem", 7, ProblemBody(words))
        self.events += len(changes.events)

    def problem(self) -> bytes:
        return self.bodies["problem", 7, ""]


def test_a_text_that_changes_with_every_page_is_kept_once_a_minute() -> None:
    kept = Kept()
    for second in range(3600):
        kept.tick(NOON_MS + second * 1000, f"line {second} is broken")
    assert kept.events == FREE + 59


def test_what_was_held_back_is_told_when_it_still_holds() -> None:
    kept = Kept()
    for second in range(FREE + 5):
        kept.tick(NOON_MS + second * 1000, f"{second}")
    kept.tick(NOON_MS + REFILL_MS + 30_000, "the last")
    assert b"the last" in kept.problem()


def test_a_problem_that_is_over_is_always_told() -> None:
    kept = Kept()
    for second in range(100):
        kept.tick(NOON_MS + second * 1000, f"{second}")
    kept.tick(NOON_MS + 100_000, "")
    assert b'""' in kept.problem()


def test_a_gpu_that_reports_an_xid_every_second_does_not_fill_the_store() -> None:
    limit, bodies, events = NewsLimit(), dict[Place, bytes](), 0
    for second in range(600):
        changes = Changes(NOON_MS + second * 1000, bodies, limit)
        changes.note("xid", 3, XidBody(second, NOON_MS), str(second))
        events += len(changes.events)
    assert events == FREE + 9


def test_a_probe_that_is_gone_is_said_to_be_once_and_forgotten() -> None:
    bodies: dict[Place, bytes] = {}
    limit = NewsLimit()
    first = Changes(NOON_MS, bodies, limit)
    first.note("probe", 0, ProbeBody(True, "vllm", ""), "vllm pid 7")
    first.forget_probes(["vllm pid 7"])
    second, third = Changes(NOON_MS + 1000, bodies, limit), Changes(NOON_MS + 2000, bodies, limit)
    second.forget_probes([])
    third.forget_probes([])
    assert [len(changes.events) for changes in (first, second, third)] == [1, 1, 0]
    assert bodies == {}
