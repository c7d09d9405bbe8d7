"""What a state is judged by: the signals of one GPU at one tick, and what is remembered of the tick before."""

from __future__ import annotations

import msgspec

from tokwatch.ledger.entries import State


class Signals(msgspec.Struct, frozen=True):
    """What is known of one GPU at one tick. None is unknown. A queue is requests that a server has taken and not begun.

    "How long" of what a page shows is from the first to the last of an unbroken row of pages that all show it.
    """

    problem: str = ""  # the device does not answer: why, in the user's words
    lost: bool = False  # … and it is gone, or has stopped answering, rather than refused
    # --- the servers placed on it
    server: str = ""  # their names, "" without
    unread: bool = False  # a server is placed on it whose page nobody has asked for yet in this run
    answering: bool | None = None  # the placed servers' pages are read; None: no server is placed
    has_page: bool = True  # False: an engine without a metrics page, whose silence says nothing
    answered_before: bool = False  # the page was read at some time in this incarnation
    server_age_s: float | None = None
    server_problem: str = ""
    running: int | None = None
    waiting: int | None = None
    asleep: bool = False  # all of the placed servers were put to sleep: their memory is free
    moved: bool | None = None  # tokens or steps moved in the evidence window, here or at a partner; None: nothing tells
    still_s: float | None = None  # how long requests ran and nothing moved on live pages; None: no page can tell
    ttft_p99_s: float | None = None  # of the requests of late; told only where something stands still
    evidence_s: float = 0.0  # how much of the evidence window was watched
    # --- their load
    queued_s: float = 0.0  # how long one of them has had a queue
    full_s: float = 0.0  # … and a KV cache that is full, or pushes requests out
    pressed: bool = False  # one has a queue, and a KV cache that is near full or lately pushed requests out
    load: float | None = None  # tokens/s of the deployment ÷ its capacity; None: no capacity is known
    # --- other servers
    queue_elsewhere: bool = False  # requests for these wait at a partner, or at a router before them
    replica_queued_s: float = 0.0  # how long a replica, to which their requests might have gone, has had a queue
    replica_queue: str = ""  # the address of one that has a queue now
    resting_replica: str = ""  # the address of one that has neither requests nor tokens
    # --- the device
    throttled: float | None = None  # share of the evidence window in which its hardware, or heat, slowed it
    slowed_by: str = ""  # what did
    has_process: bool | None = None
    listed_s: float = 0.0  # how long a process has been listed on every reading
    foreign: bool = False  # a listed process is of no known server
    memory_used_mib: int | None = None
    utilization: float | None = None  # mean busy time over the evidence window
    power_w: float | None = None  # mean over the evidence window
    work_w: float | None = None  # watts that no GPU without work draws (see power_floor)


class Past(msgspec.Struct, frozen=True):
    """What is remembered of a GPU: its state so far, and how firmly it was in it."""

    state: State = State.UNKNOWN
    confirmed: bool = False
    note: str = ""
    gone_s: float | None = None  # how long what made the state has been gone, 0 at first; None: it is there
