"""One recorder a host, and everybody can ask who it is."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from tokwatch.store import lock as lock_module
from tokwatch.store.lock import Recorder, RecorderLock, recorder_for, user_of, who_records


@pytest.fixture
def boot_id() -> str:
    """A host of the test's own."""
    return str(uuid.uuid4())


def test_a_host_has_one_recorder(tmp_path: Path, boot_id: str) -> None:
    lock = RecorderLock.acquire(tmp_path / "a.db", exclusive_host=True, boot_id=boot_id)
    assert lock is not None
    assert RecorderLock.acquire(tmp_path / "b.db", exclusive_host=True, boot_id=boot_id) is None
    assert who_records(boot_id=boot_id) == Recorder(os.getpid(), os.getuid(), tmp_path / "a.db")
    lock.release()
    assert who_records(boot_id=boot_id) is None
    again = RecorderLock.acquire(tmp_path / "b.db", exclusive_host=True, boot_id=boot_id)
    assert again is not None
    again.release()


def test_a_demo_with_its_own_store_stands_beside_the_recorder(tmp_path: Path, boot_id: str) -> None:
    host = RecorderLock.acquire(tmp_path / "a.db", exclusive_host=True, boot_id=boot_id)
    demo = RecorderLock.acquire(tmp_path / "demo.db", exclusive_host=False, boot_id=boot_id)
    assert host is not None
    assert demo is not None
    assert who_records(tmp_path / "demo.db", boot_id=boot_id) is not None
    demo.release()
    host.release()


def test_a_store_has_one_recorder_by_whatever_path_it_is_named(tmp_path: Path, boot_id: str) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    host = RecorderLock.acquire(tmp_path / "a.db", exclusive_host=True, boot_id=boot_id)
    assert host is not None
    assert RecorderLock.acquire(tmp_path / "link" / "a.db", exclusive_host=False, boot_id=boot_id) is None
    host.release()


def test_a_failed_attempt_holds_nothing(tmp_path: Path, boot_id: str) -> None:
    host = RecorderLock.acquire(tmp_path / "a.db", exclusive_host=True, boot_id=boot_id)
    assert host is not None
    assert RecorderLock.acquire(tmp_path / "b.db", exclusive_host=True, boot_id=boot_id) is None
    assert who_records(tmp_path / "b.db", boot_id=boot_id) is None
    host.release()


def test_the_lock_goes_with_its_process(tmp_path: Path, boot_id: str) -> None:
    program = (
        "import sys; from pathlib import Path; from tokwatch.store.lock import RecorderLock; "
        f"lock = RecorderLock.acquire(Path({str(tmp_path / 'a.db')!r}), exclusive_host=True, boot_id={boot_id!r}); "
        "print(lock is not None, flush=True); sys.stdin.read()"
    )
    child = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdin is not None
    assert child.stdout.readline() == "True\n"
    recorder = who_records(boot_id=boot_id)
    assert recorder is not None
    assert (recorder.pid, recorder.store) == (child.pid, tmp_path / "a.db")
    child.kill()
    child.wait()
    child.stdin.close()
    child.stdout.close()
    assert who_records(boot_id=boot_id) is None


def test_a_squatter_that_says_nothing_is_named_by_the_kernel(boot_id: str) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as squatter:
        squatter.bind(f"\0tokwatch/{boot_id}")
        squatter.listen(1)
        assert who_records(boot_id=boot_id) == Recorder(os.getpid(), os.getuid(), None)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can ask as another user")
def test_another_user_is_not_told_where_the_store_is(tmp_path: Path, boot_id: str) -> None:
    lock = RecorderLock.acquire(tmp_path / "a.db", exclusive_host=True, boot_id=boot_id)
    assert lock is not None
    ask = (
        "import os, socket; os.setuid(65534); s = socket.socket(socket.AF_UNIX); "
        f"s.connect('\\0tokwatch/{boot_id}'); print(s.recv(999))"
    )
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, timeout=30, check=True)
    lock.release()
    assert f'"pid":{os.getpid()}' in done.stdout
    assert "a.db" not in done.stdout


HOLD = """
import os, sys
from pathlib import Path
from tokwatch.store.lock import RecorderLock
os.setgid(61234)
os.setuid(61234)
lock = RecorderLock.acquire(Path(sys.argv[1]), exclusive_host=True, boot_id=sys.argv[2])
print(lock is not None, flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can hold it as another user")
def test_a_service_of_another_user_is_found_by_asking_for_its_store(tmp_path: Path, boot_id: str) -> None:
    store = tmp_path / "store.db"
    command = [sys.executable, "-c", HOLD, str(store), boot_id]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as service:
        assert service.stdout is not None
        assert service.stdout.readline() == "True\n"
        assert who_records(store, boot_id=boot_id) == Recorder(service.pid, 61234, store)
        on_host = who_records(boot_id=boot_id)
        assert on_host == Recorder(service.pid, 61234, None), "a store that was not asked for is not told"
        assert user_of(on_host) == "61234"
        assert RecorderLock.acquire(tmp_path / "mine.db", exclusive_host=True, boot_id=boot_id) is None
        service.communicate("", timeout=30)


def test_who_watches_sees_the_services_recorder_before_any_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, system = tmp_path / "mine.db", tmp_path / "system.db"
    monkeypatch.setattr(lock_module, "readable_system_store", lambda: system)
    service = RecorderLock.acquire(system, exclusive_host=False)
    assert service is not None
    assert recorder_for(mine) == Recorder(os.getpid(), os.getuid(), system)
    own = RecorderLock.acquire(mine, exclusive_host=False)
    assert own is not None
    assert recorder_for(mine) == Recorder(os.getpid(), os.getuid(), mine)
    own.release()
    service.release()
