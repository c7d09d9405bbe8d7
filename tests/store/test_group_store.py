"""The store of a service: its group reads it while it is written, nobody else does, and nobody else's changes."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.store.records import NOON_MS, RUN, fill, record
from tokwatch.store.writer import Writer

NOBODY = 65534
SERVICE, GROUP = 61_234, 61_235  # a user and a group that no test machine has
as_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can be another user")

READ = """
import os
import sys
from pathlib import Path
from tokwatch.store.reader import Reader
user, *groups = map(int, sys.argv[2:])
os.setgroups(groups)
os.setgid(user)
os.setuid(user)
with Reader(Path(sys.argv[1])) as reader:
    for ticks in sys.stdin:
        print(sum(1 for _ in reader.records(None, 0, 2**42)), flush=True)
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """As the systemd unit makes it: of a service and its group, 2750."""
    for parent in tmp_path.parents:
        if parent.stat().st_uid == os.getuid() and not parent.stat().st_mode & stat.S_IXOTH:
            parent.chmod(parent.stat().st_mode | stat.S_IXOTH)  # pytest keeps its directories to one user
    tmp_path.chmod(0o755)
    directory = tmp_path / "tokwatch"
    directory.mkdir()
    if os.getuid() == 0:
        os.chown(directory, SERVICE, GROUP)
    directory.chmod(0o2750)
    return directory


def reader_as(user: int, groups: list[int], store: Path) -> subprocess.Popen[str]:
    """A reader that was root and is another user now; each line on its stdin asks for the number of ticks."""
    return subprocess.Popen(
        [sys.executable, "-c", READ, str(store), str(user), *map(str, groups)],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ask(reader: subprocess.Popen[str]) -> int:
    assert reader.stdin is not None
    assert reader.stdout is not None
    reader.stdin.write("\n")
    reader.stdin.flush()
    return int(reader.stdout.readline() or -1)


def test_a_store_in_a_groups_directory_is_for_that_group_to_read(directory: Path) -> None:
    store = directory / "store.db"
    writer = Writer(store)
    writer.open()
    writer.begin_run(RUN)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()}
    writer.close(10)
    assert modes == {"store.db": 0o640, "store.db-wal": 0o640, "store.db-shm": 0o640}


@pytest.mark.parametrize("mode", [0o755, 0o750, 0o2755, 0o2700])
def test_any_other_directory_gives_it_to_nobody(tmp_path: Path, mode: int) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home").chmod(mode)
    fill(tmp_path / "home" / "store.db", [record(NOON_MS)])
    assert stat.S_IMODE((tmp_path / "home" / "store.db").stat().st_mode) == 0o600


@as_root
def test_what_root_makes_there_belongs_to_the_service(directory: Path) -> None:
    store = directory / "store.db"
    writer = Writer(store)
    writer.open()
    writer.begin_run(RUN)
    owners = {(path.stat().st_uid, path.stat().st_gid) for path in directory.iterdir()}
    writer.close(10)
    assert owners == {(SERVICE, GROUP)}


@as_root
def test_a_member_of_the_group_reads_while_it_is_written_and_after(directory: Path) -> None:
    store = directory / "store.db"
    writer = Writer(store)
    writer.open()
    run = writer.begin_run(RUN)
    writer.submit(record(NOON_MS, run.id))
    writer.limit_pages(1 << 30)  # answered after the record is written
    with reader_as(NOBODY, [GROUP], store) as member:
        assert ask(member) == 1
        writer.submit(record(NOON_MS + 1, run.id))
        writer.limit_pages(1 << 30)
        assert ask(member) == 2
        assert writer.close(10)
        assert ask(member) == 2
        member.communicate(timeout=30)
    with reader_as(NOBODY, [GROUP], store) as late:
        assert ask(late) == 2, "no recorder runs, and nothing can be made beside the file"
        late.communicate(timeout=30)


@as_root
def test_another_user_does_not_read_it(directory: Path) -> None:
    store = directory / "store.db"
    fill(store, [record(NOON_MS)])
    with reader_as(NOBODY, [], store) as stranger:
        _, stderr = stranger.communicate("\n", timeout=30)
    assert stranger.returncode != 0
    assert "StoreError" in stderr or "PermissionError" in stderr
