"""What ssh and the far side say, in words: every text here is OpenSSH 9.2's own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.labels import clean_label
from tokwatch.feeds.fleet import ssh_words

CHANGED = """\
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\r
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\r
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\r
IT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!\r
Host key for h1 has changed and you have requested strict checking.\r
Host key verification failed.\r
"""


@pytest.mark.parametrize(
    ("stderr", "words"),
    [
        (CHANGED, "h1's host key is not the known one: somebody may stand between"),
        ("Host key verification failed.\r\n", "h1's host key is not known here yet: log in once with ssh h1"),
        (
            "No ED25519 host key is known for h1 and you have requested strict checking.\r\nHost key verification ...",
            "h1's host key is not known here yet",
        ),
        ("u@h1: Permission denied (publickey,password).\r\n", "h1 does not let us in (publickey,password): use a key"),
        ("Received disconnect from 10.0.0.1 port 22:2: Too many authentication failures\r\n", "h1 does not let us in:"),
        ("ssh: Could not resolve hostname h1: Name or service not known\r\n", "the name h1 is not known: is it in DNS"),
        ("ssh: connect to host h1 port 2201: Connection refused\r\n", "h1 refuses connections on port 2201: is sshd"),
        ("ssh: connect to host h1 port 22: Connection timed out\r\n", "h1 does not answer on port 22: is it up"),
        ("Timeout, server h1 not responding.\r\n", "h1 does not answer: is it up"),
        ("ssh: connect to host h1 port 22: No route to host\r\n", "there is no route to h1 on port 22"),
        (
            "/home/u/.ssh/config: line 3: Bad configuration option: hots\r\n",
            "ssh cannot use its configuration: /home/u",
        ),
        ("kex_exchange_identification: Connection closed by remote host\r\n", "ssh does not reach h1: kex_exchange"),
        ("", "ssh does not reach h1"),
    ],
)
def test_what_ssh_says_when_it_fails(stderr: str, words: str) -> None:
    assert ssh_words.ended("h1", 255, stderr.encode(), was_heard=False).words.startswith(words)


@pytest.mark.parametrize(
    ("status", "stderr", "words"),
    [
        (
            127,
            "bash: line 1: tokwatch: command not found",
            "tokwatch is not installed on h1, or not on the PATH of its ",
        ),
        (
            1,
            "/usr/bin/python3: No module named tokwatch",
            "tokwatch is not installed on h1, or not on the PATH of its ",
        ),
        (
            2,
            "tokwatch: error: argument command: invalid choice: 'agent' (choose from 'live')",
            "h1 has an old tokwatch, ",
        ),
        (2, "tokwatch: error: unrecognized arguments: --stdio", "h1 has an old tokwatch, one without `agent --stdio`"),
        (3, "no GPU was found\n", "the agent on h1 ended with status 3: no GPU was found"),
        (1, "", "the agent on h1 ended with status 1: it said nothing"),
        (137, "Killed", "the agent on h1 was ended there by signal 9"),
        (0, "", "the agent on h1 ended by itself"),
        (-9, "", "ssh to h1 was ended here by signal 9"),
        (None, "", "the agent on h1 closed its output"),
    ],
)
def test_what_the_far_side_says_when_it_ends(status: int | None, stderr: str, words: str) -> None:
    assert ssh_words.ended("h1", status, stderr.encode(), was_heard=False).words.startswith(words)


def test_one_line_says_how_to_install_it() -> None:
    failure = ssh_words.ended("h1", 127, b"", was_heard=False)
    assert failure.words.endswith(": uv tool install tokwatch")
    assert "\n" not in failure.words


def test_a_connection_that_ends_after_reports_is_told_as_lost() -> None:
    lost = ssh_words.ended("h1", 255, b"Connection to h1 closed by remote host.\r\n", was_heard=True)
    assert lost.words.startswith("the connection to h1 or the agent there ended: Connection to h1 closed by remote")
    assert not lost.lasts


def test_the_line_that_counts_is_found_below_a_banner() -> None:
    stderr = b"### Authorised use only ###\r\nWarning: Permanently added 'h1' (ED25519) to the list of known hosts.\r\n"
    assert ssh_words.ended("h1", 255, stderr, was_heard=False).words == (
        "ssh does not reach h1: ### Authorised use only ###"
    )
    assert "let us in" in ssh_words.ended("h1", 255, stderr + b"h1: Permission denied ().\r\n", was_heard=False).words


def test_the_side_that_is_behind_is_told_to_upgrade() -> None:
    assert ssh_words.wrong_protocol("h1", 2, "0.9").words == (
        "h1 speaks protocol 2 (tokwatch 0.9), this one 1: upgrade here, uv tool upgrade tokwatch"
    )
    assert ssh_words.wrong_protocol("h1", 0, "").words == (
        "h1 speaks protocol 0, this one 1: upgrade there, uv tool upgrade tokwatch"
    )


def test_no_program_is_told() -> None:
    failure = ssh_words.cannot_start("ssh", FileNotFoundError())
    assert failure.words == "there is no ssh on this machine: install OpenSSH's client"
    assert ssh_words.cannot_start("ssh", OSError(24, "Too many open files")).words.endswith("Too many open files")


@given(st.binary(max_size=300), st.integers(-20, 255), st.booleans())
def test_words_are_one_clean_line_whatever_was_said(stderr: bytes, status: int, was_heard: bool) -> None:
    words = ssh_words.ended("h1", status, stderr, was_heard=was_heard).words
    assert clean_label(words, 1000) == words
    assert len(words) < 400


def test_pauses_double_up_to_a_minute() -> None:
    pauses = [ssh_words.retry_s(failures, 0.5, lasts=False) for failures in range(1, 9)]
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]
    assert ssh_words.retry_s(10**9, 0.5, lasts=False) == 60
    assert ssh_words.retry_s(1, 0.5, lasts=True) == 60


@given(st.integers(1, 100), st.floats(0, 1), st.booleans())
def test_boxes_do_not_come_back_all_at_once(failures: int, share: float, lasts: bool) -> None:
    middle = ssh_words.retry_s(failures, 0.5, lasts=lasts)
    assert 0.75 * middle <= ssh_words.retry_s(failures, share, lasts=lasts) <= 1.25 * middle
