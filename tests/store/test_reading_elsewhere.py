"""Reading a store that is nobody's to write: in a directory without the right to make files."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.store.records import NOON_MS, fill, record

PROGRAM = """
import os
import sys
from pathlib import Path
from tokwatch.store.errors import StoreError
from tokwatch.store.reader import Reader
from tokwatch.store.writer import Writer

if os.getuid() == 0:
    os.setuid(65534)  # root may write anywhere: then let somebody else look
path = Path(sys.argv[1])
with Reader(path) as reader:
    print(reader.last_tick())
try:
    Writer(path).open()
except StoreError as error:
    print(error)
"""


@pytest.fixture
def read_only_directory() -> Iterator[Path]:
    # Not tmp_path: its parents are closed to other users.
    with tempfile.TemporaryDirectory() as directory:
        yield Path(directory)
        Path(directory).chmod(0o700)


def test_a_store_in_a_read_only_directory_is_read_and_not_written(read_only_directory: Path) -> None:
    path = read_only_directory / "store.db"
    fill(path, [record(NOON_MS)])
    assert not path.with_name("store.db-wal").exists()
    path.chmod(0o444)
    read_only_directory.chmod(0o555)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, path], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.stderr == ""
    tick, refusal = done.stdout.splitlines()
    assert int(tick) == NOON_MS
    assert str(path) in refusal
    assert "--store" in refusal
