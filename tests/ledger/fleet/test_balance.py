"""Whether replicas share the requests of their deployment."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tokwatch.ledger.fleet.balance import LEFT_OUT, Replica, imbalance, misrouted, verdicts
from tokwatch.ledger.fleet.tally import HostKey


def replica(
    host: str, running: int | None, waiting: int | None = 0, *, engine: str = "vllm", up: bool = True
) -> Replica:
    return Replica(HostKey(host), engine, up, running, waiting)


def test_even_replicas_are_at_one() -> None:
    assert imbalance([replica("a", 10), replica("b", 10)]).value == 1.0


def test_the_busiest_is_measured_against_the_mean() -> None:
    assert imbalance([replica("a", 30), replica("b", 10), replica("c", 20)]).value == 1.5


def test_one_replica_has_nobody_to_be_even_with() -> None:
    assert imbalance([replica("a", 30)]).why == "one replica"


def test_nobody_at_work_is_no_imbalance() -> None:
    assert imbalance([replica("a", 0), replica("b", 0)]).why == "no requests"


def test_replicas_that_do_not_answer_are_not_weighed() -> None:
    assert imbalance([replica("a", 10), replica("b", 10), replica("c", 0, up=False)]).value == 1.0


def test_who_has_nothing_while_others_queue_is_left_out() -> None:
    fleet = [replica("a", 40, 5), replica("b", 0), replica("c", 12)]
    assert misrouted(fleet) == (HostKey("b"),)
    assert verdicts(fleet) == ("2.3× the mean", LEFT_OUT, "")


def test_a_queue_of_another_engine_cannot_be_routed_here() -> None:
    assert misrouted([replica("a", 40, 5, engine="sglang"), replica("b", 0)]) == ()


def test_without_a_queue_nobody_is_left_out() -> None:
    assert misrouted([replica("a", 40), replica("b", 0)]) == ()


def test_who_does_not_tell_or_answer_is_not_accused() -> None:
    assert misrouted([replica("a", 40, 5), replica("b", None), replica("c", 0, up=False)]) == ()


def test_of_two_hosts_of_one_name_only_the_one_without_requests_is_left_out() -> None:
    busy, quiet = HostKey("gpu-01", cluster="a"), HostKey("gpu-01", cluster="b")
    fleet = [Replica(busy, "vllm", True, 40, 5), Replica(quiet, "vllm", True, 0, 0)]
    assert misrouted(fleet) == (quiet,)
    assert verdicts(fleet) == ("2.0× the mean", LEFT_OUT)


@given(st.lists(st.integers(0, 1000), min_size=2, max_size=20))
def test_imbalance_lies_between_even_and_one_for_all(running: list[int]) -> None:
    found = imbalance([replica(str(number), count) for number, count in enumerate(running)]).value
    assert found is None or 1.0 <= found + 1e-9 <= len(running) + 1e-6
