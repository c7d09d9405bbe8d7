"""Which part of a server's tokens is one GPU's: by placement and by whom the GPU worked for, over time."""

from __future__ import annotations

from tokwatch.ledger.bodies import PlacementBody, event
from tokwatch.ledger.entries import Entity, Event
from tokwatch.ledger.registry import group_key
from tokwatch.ledger.token_shares import TokenShares

GPU, OTHER, THIRD = 1, 2, 3
CHAT, CODE, GROUP, PAIR = 10, 11, 20, 21
ENTITIES = {
    CHAT: Entity(CHAT, "server", "box", "a", 0, 0),
    CODE: Entity(CODE, "server", "box", "b", 0, 0),
    GROUP: Entity(GROUP, "group", "box", group_key([(CHAT,), (CODE,)]), 0, 0),  # share GPUs
    PAIR: Entity(PAIR, "group", "box", group_key([(CHAT, CODE)]), 0, 0),  # make their tokens together
}


def placed(at_ms: int, gpu: int, *servers: int) -> Event:
    return event(at_ms, gpu, "placement", PlacementBody(servers, "process", 1))


def test_a_server_on_four_gpus_gives_each_a_quarter() -> None:
    events = [placed(0, gpu, CHAT) for gpu in (GPU, OTHER, THIRD, 4)]
    assert TokenShares(GPU, events, [(100, CHAT)], ENTITIES).at(50) == {CHAT: 0.25}


def test_two_servers_on_one_gpu_give_it_all_of_theirs() -> None:
    shares = TokenShares(GPU, [placed(0, GPU, CHAT, CODE)], [(100, GROUP)], ENTITIES)
    assert shares.at(50) == {CHAT: 1, CODE: 1}


def test_servers_that_make_their_tokens_together_give_each_of_their_gpus_the_same() -> None:
    events = [placed(0, GPU, CHAT), placed(0, OTHER, CODE)]
    assert TokenShares(GPU, events, [(100, PAIR)], ENTITIES).at(50) == {CHAT: 0.5, CODE: 0.5}


def test_placements_and_owners_change_with_time() -> None:
    events = [placed(0, GPU, CHAT), placed(0, OTHER, CHAT), placed(60, OTHER), placed(80, GPU)]
    shares = TokenShares(GPU, events, [(80, CHAT), (120, 0)], ENTITIES)
    assert shares.at(50) == {CHAT: 0.5}
    assert shares.at(70) == {CHAT: 1}
    assert shares.at(100) == {}
    assert shares.servers == {CHAT}


def test_another_users_server_counts_though_it_owns_nothing() -> None:
    assert TokenShares(GPU, [placed(0, GPU, CHAT)], [(100, 0)], ENTITIES).at(50) == {CHAT: 1}


def test_a_gpu_that_was_never_placed_has_no_part() -> None:
    shares = TokenShares(GPU, [], [], ENTITIES)
    assert (shares.at(50), shares.servers) == ({}, frozenset())
