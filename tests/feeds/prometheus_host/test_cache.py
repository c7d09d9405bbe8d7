"""Stores of hosts behind a Prometheus are private, one for each, and go when nobody uses them."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tokwatch.config.retention import RetentionSection
from tokwatch.feeds.prometheus_host.cache import bounded, cache_store
from tokwatch.store.errors import StoreError
from tokwatch.store.writer import Writer

DAY_S = 86_400


def store_of(folder: Path, host: str, *, age_s: float = 0) -> Path:
    store = cache_store("http://prom:9090", host, directory=folder)
    writer = Writer(store)
    writer.open()
    assert writer.close(10)
    for path in folder.glob(f"{store.name}*"):
        os.utime(path, (time.time() - age_s,) * 2)
    return store


def test_a_host_behind_a_server_has_one_store_that_others_may_not_read(tmp_path: Path) -> None:
    store = store_of(tmp_path / "cache", "h7")
    assert store == cache_store("http://prom:9090", "h7", directory=tmp_path / "cache")
    assert store != cache_store("http://prom:9090/other", "h7", directory=tmp_path / "cache")
    assert store != cache_store("http://prom:9090", "h7", selector='cluster="b"', directory=tmp_path / "cache")
    assert (store.stat().st_mode & 0o777, store.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_a_hosts_name_cannot_lead_out_of_the_directory(tmp_path: Path) -> None:
    assert cache_store("http://prom:9090", "../../etc/x\x1b", directory=tmp_path).parent == tmp_path


def test_a_store_that_nobody_has_used_for_a_month_goes(tmp_path: Path) -> None:
    old, young = store_of(tmp_path, "old", age_s=31 * DAY_S), store_of(tmp_path, "young", age_s=29 * DAY_S)
    cache_store("http://prom:9090", "h7", directory=tmp_path)
    assert (old.exists(), young.exists()) == (False, True)


def test_the_oldest_go_when_all_of_them_are_too_large(tmp_path: Path) -> None:
    old, young = store_of(tmp_path, "old", age_s=DAY_S), store_of(tmp_path, "young")
    os.truncate(old, 5_000_000_000)  # sparse: it takes no room
    os.utime(old, (time.time() - DAY_S,) * 2)
    cache_store("http://prom:9090", "h7", directory=tmp_path)
    assert (old.exists(), young.exists()) == (False, True)


def test_a_place_that_cannot_be_is_told_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="--store FILE"):
        cache_store("http://prom:9090", "h7", directory=tmp_path / "file")


def test_no_more_is_kept_than_the_user_keeps_elsewhere() -> None:
    assert bounded(RetentionSection()).size_gb == 0.5
    assert bounded(RetentionSection(size_gb=0.2)).size_gb == 0.2
