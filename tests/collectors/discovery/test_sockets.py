"""Listening sockets by the kernel's own tables, with the user who opened each."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from collectors.discovery.processes import PsutilSource
from collectors.discovery.sockets import Listening, holders, listening_sockets

_HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
_FOUR = (
    "   0: 0100007F:24B8 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 23 1 0 100 0 0 10 0\n"
)
_SIX = _FOUR.replace("0100007F:24B8", "0" * 32 + ":1F90").replace("1000", "   0")


def test_what_listens_is_told_with_its_user(tmp_path: Path) -> None:
    (tmp_path / "tcp").write_text(_HEAD + _FOUR + _FOUR.replace(" 0A ", " 01 "))
    (tmp_path / "tcp6").write_text(_HEAD + _SIX)
    assert listening_sockets(tmp_path) == (Listening("127.0.0.1", 9400, 1000, 23), Listening("::", 8080, 0, 23))


def test_a_kernel_without_ipv6_has_one_table(tmp_path: Path) -> None:
    (tmp_path / "tcp").write_text(_HEAD + _FOUR)
    assert [socket.port for socket in listening_sockets(tmp_path)] == [9400]


def test_a_network_without_tables_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        listening_sockets(tmp_path)


def test_the_first_process_that_holds_a_socket_is_its_holder(tmp_path: Path) -> None:
    def open_file(pid: int, number: int, link: str) -> None:
        directory = tmp_path / str(pid) / "fd"
        directory.mkdir(parents=True, exist_ok=True)
        (directory / str(number)).symlink_to(link)

    open_file(10, 0, "/dev/null")
    open_file(10, 3, "socket:[23]")
    open_file(11, 3, "socket:[23]")  # forked
    open_file(12, 5, "socket:[24]")
    assert holders({23, 24, 25}, [9, 10, 11, 12], tmp_path) == {23: 10, 24: 12}  # 9 is gone, 25 hides


@pytest.mark.parametrize("line", ["nonsense\n", "0: zz:1 x 0A 1 1 1 1 1 1\n", _FOUR[:40] + "\n"])
def test_a_table_of_another_format_is_a_value_error(tmp_path: Path, line: str) -> None:
    for name in ("tcp", "tcp6"):
        (tmp_path / name).write_text(_HEAD + line)
    with pytest.raises(ValueError):
        listening_sockets(tmp_path)


def test_a_port_of_this_process_is_its_own_and_our_users() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        ports = PsutilSource().listening_ports() or ()
        ours = [(port.uid, port.pid) for port in ports if port.port == server.getsockname()[1]]
    assert ours == [(os.geteuid(), os.getpid())]
