"""Files that are replaced whole or not at all, and what is refused."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

import pytest

from tokwatch.exports.directory import Directory
from tokwatch.exports.errors import ExportError


def test_a_file_is_written_and_read_back(tmp_path: Path) -> None:
    with Directory(tmp_path / "new" / "deep") as directory:
        assert directory.read("a.csv") is None
        written = directory.replace("a.csv", lambda out: out.write(b"one"))
        assert (written.bytes, written.changed, directory.read("a.csv")) == (3, True, b"one")
    assert os.listdir(tmp_path / "new" / "deep") == ["a.csv"]


def test_the_same_bytes_leave_the_file_alone(tmp_path: Path) -> None:
    with Directory(tmp_path) as directory:
        first = directory.replace("a.csv", lambda out: out.write(b"one"))
        before = (tmp_path / "a.csv").stat()
        again = directory.replace("a.csv", lambda out: out.write(b"one"))
    after = (tmp_path / "a.csv").stat()
    assert (again.changed, again.sha256) == (False, first.sha256)
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_write_that_breaks_off_leaves_the_old_file_and_no_rest(tmp_path: Path) -> None:
    def break_off(out: IO[bytes]) -> None:
        out.write(b"half of")
        raise OSError(28, "No space left on device")

    with Directory(tmp_path) as directory:
        directory.replace("a.csv", lambda out: out.write(b"whole"))
        with pytest.raises(ExportError, match=r"cannot write .*a\.csv: No space left on device"):
            directory.replace("a.csv", break_off)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a.csv": b"whole"}


def test_a_reader_sees_the_old_file_until_the_new_one_is_whole(tmp_path: Path) -> None:
    def look(out: IO[bytes]) -> None:
        out.write(b"new")
        out.flush()
        assert (tmp_path / "a.csv").read_bytes() == b"old"

    with Directory(tmp_path) as directory:
        directory.replace("a.csv", lambda out: out.write(b"old"))
        directory.replace("a.csv", look)
    assert (tmp_path / "a.csv").read_bytes() == b"new"


def test_a_link_in_the_place_of_a_file_is_neither_followed_nor_replaced(tmp_path: Path) -> None:
    secret, target = tmp_path / "secret", tmp_path / "exports"
    secret.write_bytes(b"keep")
    target.mkdir()
    (target / "a.csv").symlink_to(secret)
    with Directory(target) as directory:
        with pytest.raises(ExportError, match=r"a\.csv"):
            directory.replace("a.csv", lambda out: out.write(b"gone"))
        with pytest.raises(ExportError, match=r"a\.csv"):
            directory.read("a.csv")
    assert secret.read_bytes() == b"keep"


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_plain_file_is_refused_without_waiting_for_it(tmp_path: Path, make: object) -> None:
    assert callable(make)
    make(tmp_path / "a.csv")
    with Directory(tmp_path) as directory, pytest.raises(ExportError, match=r"a\.csv is no plain file"):
        directory.replace("a.csv", lambda out: out.write(b"x"))


def test_a_directory_that_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ExportError, match="cannot write into"):
        Directory(tmp_path / "file")
