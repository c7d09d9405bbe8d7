"""What every command starts from: the config file, the store's place, this box, the terminal."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from collectors.readings import ServerFacts
from tokwatch.config import Config, ServerSection, load
from tokwatch.first_sight.show import can_draw as can_draw
from tokwatch.store.location import StoreChoice, choose_store

if TYPE_CHECKING:
    from tokwatch.feeds.start import Box


def config_of(options: argparse.Namespace) -> Config:
    """The file named by --config, else TOKWATCH_CONFIG, else the user's own if there is one; with what --selector says.
    Raises ConfigError."""
    config, selector = _config_file(options), getattr(options, "selector", None)
    return config if selector is None else replace(config, prometheus=replace(config.prometheus, selector=selector))


def _config_file(options: argparse.Namespace) -> Config:
    named = options.config or os.environ.get("TOKWATCH_CONFIG")
    if named:
        return load(Path(named))
    from platformdirs import user_config_path

    own = user_config_path("tokwatch") / "config.toml"
    return load(own) if own.exists() else Config()


def store_of(options: argparse.Namespace) -> Path:
    """Where the store is; says on stderr when it is not where one would look. Raises StoreError."""
    return store_choice(options).path


def store_choice(options: argparse.Namespace) -> StoreChoice:
    """The same, with what was said for those who go on to show it."""
    named = options.store or os.environ.get("TOKWATCH_STORE")
    choice = choose_store(Path(named) if named else None)
    if choice.message:
        print(f"tokwatch: {choice.message}", file=sys.stderr)
    return choice


def store_is_named(options: argparse.Namespace) -> bool:
    """The user chose the store, so this recorder may stand beside the host's own."""
    return bool(options.store or os.environ.get("TOKWATCH_STORE"))


def this_box(config: Config) -> Box:
    """The box tokwatch runs on."""
    from collectors.host import host_identity, local_timezone
    from tokwatch.feeds.start import Box  # with the ledger and the store behind it: 60 ms before the first frame

    identity = host_identity()
    return Box(config.host or identity.name, identity.boot_id or "", local_timezone())


def configured_servers(sections: Sequence[ServerSection]) -> tuple[ServerFacts, ...]:
    """`[[servers]]` of the config as server facts."""
    from urllib.parse import urlsplit

    facts = []
    for section in sections:
        parts = urlsplit(section.url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        path = parts.path if parts.path not in ("", "/") else "/metrics"
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        facts.append(
            ServerFacts(
                address=f"{host}:{port}",
                engine=section.engine,
                metrics_url=f"{parts.scheme}://{host}:{port}{path}",
                verified=section.accept,
                model=section.model,
                tensor_parallel=section.tensor_parallel,
                pipeline_parallel=section.pipeline_parallel,
                data_parallel=section.data_parallel,
                expert_parallel=section.expert_parallel,
                role=section.role or "",
                deployment=section.deployment,
                counts=section.counts,
                gpus=None if section.gpus is None else tuple(str(gpu) for gpu in section.gpus),
                origin="config",
            )
        )
    return tuple(facts)


def keep_what_is_loaded() -> None:
    """Modules, classes and what was opened stay to the end: the garbage collector need not walk them again and again,
    which took 0.6 % of a core of a watching dashboard. Call it when all is open."""
    gc.collect()
    gc.freeze()
