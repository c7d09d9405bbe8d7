"""Where the store lives."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

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
