"""What `--targets` names: pages of many hosts that are read directly, and the source that reads them."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Sequence
from typing import Final

from collectors.credential import Credential
from collectors.scrape_error import ScrapeError
from collectors.target_lists import Target, TargetListError, targets_of
from tokwatch.config import Config
from tokwatch.config.logins import credential_of
from tokwatch.errors import CommandError, UsageError
from tokwatch.feeds.fleet.direct import DirectSource
from tokwatch.feeds.fleet.errors import SourceError

_OTHER_FILES: Final = 128  # open beside one connection an endpoint


def listed(list_: str, config: Config) -> tuple[Target, ...]:
    """The targets of the list. Raises CommandError."""
    try:
        targets = asyncio.run(targets_of(list_, _credentials(config)))
    except TargetListError as error:
        raise UsageError(f"--targets: {error}") from error
    except ScrapeError as error:
        raise CommandError(f"--targets: the list cannot be fetched: {error}") from error
    if not targets:
        raise UsageError("--targets: the list is empty")
    return targets


def direct_source(targets: Sequence[Target], config: Config) -> DirectSource:
    """Raises CommandError where a target cannot be asked, or where the system does not allow a connection to each."""
    _allow_files(len(targets))
    try:
        return DirectSource(targets, interval_s=config.interval_s, credentials=_credentials(config))
    except SourceError as error:
        raise CommandError(f"--targets: {error}") from error


def _credentials(config: Config) -> list[Credential]:
    return [login for each in (*config.servers, *config.meters) if (login := credential_of(each)) is not None]


def _allow_files(endpoints: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = endpoints + _OTHER_FILES
    if soft < wanted:
        if hard != resource.RLIM_INFINITY and hard < wanted:
            raise CommandError(
                f"{endpoints} endpoints need {wanted} open files and this process may have {hard}: raise the limit "
                "(ulimit -n, LimitNOFILE= of a systemd unit), or split the list"
            )
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
