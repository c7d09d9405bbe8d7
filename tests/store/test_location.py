"""Where the store lives."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tokwatch.store import location
from tokwatch.store.errors import StoreError
from tokwatch.store.location import StoreChoice, choose_store, network_file_system

LOCAL = "23 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n"


def mounts(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "mountinfo"
    path.write_text(LOCAL + "".join(f"{line}\n" for line in lines))
    return path


def test_the_flag_comes_first(tmp_path: Path) -> None:
    wanted = tmp_path / "mine.db"
    assert choose_store(wanted, system_directory=tmp_path, mountinfo=mounts(tmp_path)) == StoreChoice(wanted)


def test_the_system_directory_comes_next_where_it_may_be_written(tmp_path: Path) -> None:
    choice = choose_store(None, system_directory=tmp_path, mountinfo=mounts(tmp_path))
    assert choice == StoreChoice(tmp_path / "store.db")


def test_else_it_is_the_users_state_directory(tmp_path: Path) -> None:
    choice = choose_store(
        None, system_directory=tmp_path / "none", user_directory=tmp_path / "state", mountinfo=mounts(tmp_path)
    )
    assert choice == StoreChoice(tmp_path / "state" / "store.db")


@pytest.mark.parametrize(
    "type_", ["nfs", "nfs4", "lustre", "gpfs", "beegfs", "ceph", "cifs", "9p", "fuse.sshfs", "fuse.glusterfs"]
)
def test_a_network_file_system_is_recognised(tmp_path: Path, type_: str) -> None:
    mountinfo = mounts(tmp_path, f"40 23 0:41 / {tmp_path}/home rw shared:1 - {type_} filer:/home rw,vers=4.2")
    assert network_file_system(tmp_path / "home" / "ada" / "store.db", mountinfo) == type_
    assert network_file_system(tmp_path / "homework" / "store.db", mountinfo) is None


def test_the_deepest_and_latest_mount_counts(tmp_path: Path) -> None:
    mountinfo = mounts(
        tmp_path,
        f"40 23 0:41 / {tmp_path}/my\\040home rw - nfs4 filer:/home rw",
        f"41 40 0:42 / {tmp_path}/my\\040home/scratch rw - nfs4 filer:/home rw",
        f"42 41 254:1 / {tmp_path}/my\\040home/scratch rw - xfs /dev/vdb rw",
    )
    assert network_file_system(tmp_path / "my home" / "store.db", mountinfo) == "nfs4"
    assert network_file_system(tmp_path / "my home" / "scratch" / "store.db", mountinfo) is None


def test_a_network_home_is_replaced_by_a_private_local_directory(tmp_path: Path) -> None:
    mountinfo = mounts(tmp_path, f"40 23 0:41 / {tmp_path}/home rw - nfs4 filer:/home rw")
    home, local = tmp_path / "home", tmp_path / "local"

    def choose(flag: Path | None) -> StoreChoice:
        return choose_store(
            flag,
            system_directory=tmp_path / "none",
            user_directory=home,
            local_directory=local,
            mountinfo=mountinfo,
        )

    default = choose(None)
    assert default.path == local / "store.db"
    assert default.message is not None
    assert "nfs4" in default.message
    assert str(default.path) in default.message
    assert local.stat().st_mode & 0o777 == 0o700
    one, other = choose(home / "a" / "x.db"), choose(home / "b" / "x.db")
    assert one.path.parent == other.path.parent == local
    assert len({default.path, one.path, other.path}) == 3


def test_a_directory_that_others_can_enter_is_not_trusted(tmp_path: Path) -> None:
    mountinfo = mounts(tmp_path, f"40 23 0:41 / {tmp_path}/home rw - nfs4 filer:/home rw")
    planted = tmp_path / "planted"
    planted.mkdir()
    planted.chmod(0o777)
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "elsewhere")
    for local in (planted, link):
        with pytest.raises(StoreError, match="--store"):
            choose_store(tmp_path / "home" / "x.db", local_directory=local, mountinfo=mountinfo)


def test_this_machines_own_mounts_are_understood() -> None:
    assert network_file_system(Path(os.sep, "proc", "self")) is None


# --- file systems of which nothing is known ---------------------------------------------------------------------------


def test_an_unknown_file_system_where_wal_works_is_taken(tmp_path: Path) -> None:
    mountinfo = mounts(tmp_path, f"40 23 0:41 / {tmp_path}/home rw - virtiofs tag rw")
    (tmp_path / "home").mkdir()
    wanted = tmp_path / "home" / "state" / "x.db"
    assert choose_store(wanted, mountinfo=mountinfo) == StoreChoice(wanted)
    assert list((tmp_path / "home").iterdir()) == [], "the probe leaves nothing behind"


def test_an_unknown_file_system_where_wal_fails_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(location, "shares_wal", lambda path: False)
    mountinfo = mounts(tmp_path, f"40 23 0:41 / {tmp_path}/home rw - vboxsf share rw")
    (tmp_path / "home").mkdir()
    choice = choose_store(tmp_path / "home" / "x.db", local_directory=tmp_path / "local", mountinfo=mountinfo)
    assert choice.path.parent == tmp_path / "local"
    assert "vboxsf" in (choice.message or "")


def test_a_file_system_that_is_known_is_not_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(location, "shares_wal", lambda path: pytest.fail("tried"))
    choose_store(tmp_path / "x.db", mountinfo=mounts(tmp_path))


@pytest.mark.parametrize(
    "broken",
    ["is a directory", "is no database"],
)
def test_a_place_where_two_connections_cannot_share_a_wal_file_is_found_out(tmp_path: Path, broken: str) -> None:
    path = tmp_path / "probe.db"
    if broken == "is a directory":
        path.mkdir()
    else:
        path.write_bytes(b"x" * 4096)
    assert not location.shares_wal(path)
    assert location.shares_wal(tmp_path / "other.db")


def test_the_users_directory_is_that_of_xdg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    choice = choose_store(None, system_directory=tmp_path / "none", mountinfo=mounts(tmp_path))
    assert choice.path == tmp_path / "state" / "tokwatch" / "store.db"


# --- the system's store, for those who may only read it ---------------------------------------------------------------


def test_the_systems_store_is_offered_to_those_who_may_read_it(tmp_path: Path) -> None:
    assert location.readable_system_store(tmp_path) is None
    (tmp_path / "store.db").touch()
    assert location.readable_system_store(tmp_path) == tmp_path / "store.db"
