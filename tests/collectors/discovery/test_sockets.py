"""Listening sockets by the kernel's own tables, with the user who opened each."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from collectors.discovery.processes import PsutilSource
from collectors.discovery.sockets import Listening, listening_sockets

_HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
_FOUR = (
    "   0: 0100007F:24B8 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 23 1 0 100 0 0 10 0\n"
)
_SIX = _FOUR.replace("0100007F:24B8", "0" * 32 + ":1F90").replace("1000", "   0")


def test_what_listens_is_told_with_its_user(tmp_path: Path) -> None:
    (tmp_path / "tcp").write_text(_HEAD + _FOUR + _FOUR.replace(" 0A ", " 01 "))
    (tmp_path / "tcp6").write_text(_HEAD + _SIX)
    assert listening_sockets(tmp_path) == (Listening("127.0.0.1", 9400, 1000), Listening("::", 8080, 0))


@pytest.mark.parametrize("line", ["nonsense\n", "0: zz:1 x 0A 1 1 1 1 1 1\n", _FOUR[:40] + "\n"])
def test_a_table_of_another_format_is_a_value_error(tmp_path: Path, line: str) -> None:
    for name in ("tcp", "tcp6"):
        (tmp_path / name).write_text(_HEAD + line)
    with pytest.raises(ValueError):
        listening_sockets(tmp_path)


def test_a_port_of_this_process_is_our_own_users() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        ports = PsutilSource().listening_ports() or ()
        assert [port.uid for port in ports if port.port == server.getsockname()[1]] == [os.geteuid()]
