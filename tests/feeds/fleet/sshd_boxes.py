"""Boxes behind real sshds on loopback: their keys, their tokwatch, and the user's ssh configuration for them."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from collectors.readings import boottime_ns
from tests.nvml_stub.stub import stub_environment
from tests.real.processes import running, wait_until

REPOSITORY = Path(__file__).parents[3]
_PRIVILEGE_SEPARATION = Path("/run/sshd")  # of an sshd that runs as root

_SSHD = """\
ListenAddress {address}:{port}
HostKey {folder}/host_key
PidFile none
AuthorizedKeysFile {keys}/user_key.pub
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
LogLevel ERROR
ForceCommand {folder}/login
"""

_USER = """\
Host *
  User {user}
  IdentityFile {keys}/user_key
  IdentitiesOnly yes
  UserKnownHostsFile {keys}/known_hosts
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
"""

_HOST = """\
Host {name}
  HostName {address}
  Port {port}
  HostKeyAlias {name}
"""

_GPUS = """\
t0_ns {t0_ns}
gpu NVIDIA H100 80GB HBM3
uuid GPU-{name}-0
power_w 420
utilization_percent 88
memory_used_mib 71000
gpu NVIDIA H100 80GB HBM3
uuid GPU-{name}-1
power_w {idle_w}
memory_used_mib 500
"""

# The box's home and PATH are its folder's; the shell is told what it would be told by any sshd.
_LOGIN = """\
#!/bin/sh
export HOME={folder} PATH={folder}/bin:/usr/bin:/bin
cd {folder}
exec sh -c "$SSH_ORIGINAL_COMMAND"
"""

# With a store that is named it records on its own: boxes of one machine would follow one recorder.
_TOKWATCH = """\
#!/bin/sh
echo $$ >> {folder}/pids
{environment}
exec {python} -m tokwatch "$@" --store {folder}/store.db
"""


def sshd_program() -> str:
    """Skips the test where OpenSSH's server or client is missing."""
    sshd = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")
    for program in ("ssh", "ssh-keygen"):
        if shutil.which(program) is None:
            pytest.skip(f"needs {program}: install openssh-client")
    if sshd is None:
        pytest.skip("needs sshd: install openssh-server")
    if _is_locked(getpass.getuser()):
        pytest.skip("needs an account that sshd lets in: this one is locked in /etc/shadow")
    return sshd


@dataclass(slots=True)
class SshdBoxes:
    """Each box has a folder, an address, and a tokwatch of its own, or none."""

    folder: Path
    sshd: str = field(default_factory=sshd_program)
    _next: int = 2  # 127.0.0.2 is the first

    def __post_init__(self) -> None:
        _make_key(self.folder / "user_key")
        (self.folder / "known_hosts").touch()
        self.config.write_text(_USER.format(user=getpass.getuser(), keys=self.folder))

    @property
    def config(self) -> Path:
        return self.folder / "ssh_config"

    def agents(self, name: str) -> list[int]:
        """Processes that were started as its tokwatch, newest last."""
        file = self.folder / name / "pids"
        return [int(line) for line in file.read_text().split()] if file.exists() else []

    @contextmanager
    def box(self, name: str, tokwatch: str | None = None, *, idle_w: int = 60, known: bool = True) -> Iterator[None]:
        """An sshd of that name on the next address.

        tokwatch: the script of that name on its PATH, "" for none; None: this tokwatch, on a GPU that draws 420 W and
        one of `idle_w`. known: the host key is the one that the user knows.
        """
        folder = self.folder / name
        (folder / "bin").mkdir(parents=True)
        address, port = f"127.0.0.{self._next}", _free_port(f"127.0.0.{self._next}")
        self._next += 1
        _script(folder / "login", _LOGIN.format(folder=folder))
        if tokwatch != "":
            _script(folder / "bin" / "tokwatch", tokwatch or _own(folder, idle_w))
        public = _make_key(folder / "host_key")
        if not known:
            public = _make_key(folder / "other_key")
        with (self.folder / "known_hosts").open("a") as file:
            file.write(f"{name} {public}")
        with self.config.open("a") as file:
            file.write(_HOST.format(name=name, address=address, port=port))
        (folder / "sshd_config").write_text(_SSHD.format(address=address, port=port, folder=folder, keys=self.folder))
        command = [self.sshd, "-D", "-e", "-f", str(folder / "sshd_config")]
        with running(command, os.environ, folder / "sshd.txt", end_within_s=5):
            wait_until(lambda: _answers(address, port), f"sshd listens at {address}:{port}", within_s=10)
            yield


@contextmanager
def privilege_separation() -> Iterator[None]:
    """What an sshd that runs as root needs of its machine, for as long as it does."""
    is_ours = os.geteuid() == 0 and not _PRIVILEGE_SEPARATION.exists()
    if is_ours:
        _PRIVILEGE_SEPARATION.mkdir(mode=0o755)
    try:
        yield
    finally:
        if is_ours:
            _PRIVILEGE_SEPARATION.rmdir()


def _is_locked(user: str) -> bool:
    """As sshd sees it; one that does not run as root cannot see it, and does not mind."""
    try:
        shadow = Path("/etc/shadow").read_text()
    except OSError:
        return False
    return any(line.startswith(f"{user}:!") for line in shadow.splitlines())


def _make_key(file: Path) -> str:
    """The public half of a new key."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", str(file)], check=True)
    return file.with_suffix(".pub").read_text()


def _script(file: Path, text: str) -> None:
    file.write_text(text)
    file.chmod(0o755)


def _free_port(address: str) -> int:
    with socket.socket() as probe:
        probe.bind((address, 0))
        port: int = probe.getsockname()[1]
    return port


def _answers(address: str, port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((address, port)) == 0


def _own(folder: Path, idle_w: int) -> str:
    scenario = folder / "scenario.txt"
    scenario.write_text(_GPUS.format(t0_ns=boottime_ns(), name=folder.name, idle_w=idle_w))
    environment = {**stub_environment(scenario), "PYTHONPATH": str(REPOSITORY)}
    names = ("PYTHONPATH", "LD_LIBRARY_PATH", "TOKWATCH_NVML_SCENARIO")
    exports = "\n".join(f"export {name}='{environment[name]}'" for name in names)
    return _TOKWATCH.format(folder=folder, environment=exports, python=sys.executable)
