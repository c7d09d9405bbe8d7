"""What the driver's return codes mean: the Reason for a missing value, and words a user can act on."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from collectors.readings import Reason


class Code(enum.IntEnum):
    """Return codes of nvml.h, without their NVML_ERROR_."""

    SUCCESS = 0
    UNINITIALIZED = 1
    INVALID_ARGUMENT = 2
    NOT_SUPPORTED = 3
    NO_PERMISSION = 4
    NOT_FOUND = 6
    INSUFFICIENT_SIZE = 7
    INSUFFICIENT_POWER = 8
    DRIVER_NOT_LOADED = 9
    TIMEOUT = 10
    IRQ_ISSUE = 11
    LIBRARY_NOT_FOUND = 12
    FUNCTION_NOT_FOUND = 13
    CORRUPTED_INFOROM = 14
    GPU_IS_LOST = 15
    RESET_REQUIRED = 16
    OPERATING_SYSTEM = 17
    LIB_RM_VERSION_MISMATCH = 18
    IN_USE = 19
    MEMORY = 20
    NO_DATA = 21
    ARGUMENT_VERSION_MISMATCH = 25
    DEPRECATED = 26
    UNKNOWN = 999


class Refusal(Exception):
    """The driver refused a call. Ours, because the binding's own error is unhashable and breaks on `==`."""

    def __init__(self, call: str, code: int) -> None:
        super().__init__(f"{call}: NVML error {code}")
        self.call = call
        self.code = code

    @property
    def reason(self) -> Reason:
        return reason_for(self.code)


_REASONS: dict[int, Reason] = {
    Code.NOT_SUPPORTED: Reason.UNSUPPORTED,
    Code.FUNCTION_NOT_FOUND: Reason.UNSUPPORTED,  # the binding is newer than the driver
    Code.ARGUMENT_VERSION_MISMATCH: Reason.UNSUPPORTED,  # the driver does not know this struct
    Code.DEPRECATED: Reason.UNSUPPORTED,
    Code.NO_PERMISSION: Reason.NO_PERMISSION,
    Code.GPU_IS_LOST: Reason.LOST,
    Code.RESET_REQUIRED: Reason.LOST,
}


def reason_for(code: int) -> Reason:
    """Whatever is not known to last may pass: DRIVER_ERROR."""
    return _REASONS.get(code, Reason.DRIVER_ERROR)


@dataclass(frozen=True, slots=True)
class Words:
    """For the user: what is wrong, and what to do about it."""

    found: str
    hint: str

    def __str__(self) -> str:
        return f"{self.found}: {self.hint}"


_RECREATE = "if this is a container, recreate it (its GPU devices are gone); else look for Xid and NVRM lines in dmesg"

_DRIVER_WORDS: dict[int, Words] = {
    Code.LIBRARY_NOT_FOUND: Words(
        "no NVIDIA driver library (libnvidia-ml.so.1) here",
        "install the driver, or start the container with the NVIDIA runtime (--gpus all); servers are still watched",
    ),
    Code.DRIVER_NOT_LOADED: Words(
        "the NVIDIA library is here, the kernel module is not loaded", "run: sudo modprobe nvidia; then see dmesg"
    ),
    Code.LIB_RM_VERSION_MISMATCH: Words(
        "the NVIDIA driver was upgraded but not reloaded", "reboot, or unload and load the nvidia kernel modules"
    ),
    Code.NO_PERMISSION: Words(
        "no permission to open the NVIDIA devices",
        "give this user read and write access to /dev/nvidia*, or allow the devices in the container's cgroup",
    ),
    Code.UNINITIALIZED: Words("the NVIDIA driver library was shut down by this process", "it is opened again shortly"),
    Code.OPERATING_SYSTEM: Words("the operating system blocks the NVIDIA driver", _RECREATE),
    Code.GPU_IS_LOST: Words("every GPU fell off the bus", "drain this host and reboot it; see Xid lines in dmesg"),
    Code.RESET_REQUIRED: Words("every GPU needs a reset", "stop what uses them and run: sudo nvidia-smi --gpu-reset"),
    Code.UNKNOWN: Words("the NVIDIA driver fails without saying why", _RECREATE),
}

_GPU_WORDS: dict[int, Words] = {
    Code.GPU_IS_LOST: Words(
        "GPU fell off the bus (Xid 79)",
        "drain this host and reboot it; after a reset without a reboot, restart tokwatch",
    ),
    Code.RESET_REQUIRED: Words(
        "GPU needs a reset", "stop what uses it, run: sudo nvidia-smi --gpu-reset; then restart tokwatch"
    ),
    Code.NO_PERMISSION: Words(
        "no permission to read this GPU", "allow its /dev/nvidia* node for this user or in the container's cgroup"
    ),
    Code.CORRUPTED_INFOROM: Words("the GPU's infoROM is corrupt", "run nvidia-smi -q and ask the vendor"),
    Code.INSUFFICIENT_POWER: Words("the GPU's power cable is missing or too weak", "check its power connectors"),
    Code.IRQ_ISSUE: Words("the driver cannot get this GPU's interrupts", "check BIOS settings and dmesg"),
    Code.UNKNOWN: Words("the NVIDIA driver cannot read this GPU", _RECREATE),
}


# nvmlDeviceGpuRecoveryAction_t, field 230.
_RECOVERY_WORDS: dict[int, Words] = {
    1: Words("GPU needs a reset", "stop what uses it, run: sudo nvidia-smi --gpu-reset; then restart tokwatch"),
    2: Words("GPU needs a reboot of this host", "drain this host and reboot it"),
    3: Words("GPU needs its peer-to-peer traffic drained", "stop what talks to it over NVLink, then reset it"),
    4: Words(
        "GPU works at a part of its capacity until it is reset", "drain it, then run: sudo nvidia-smi --gpu-reset"
    ),
    5: Words("GPU waits for its NVLink (IMEX) domain to recover", "see the state of nvidia-imex on every node"),
    6: Words("GPU needs a reset of its bus", "stop what uses it and reset its PCIe slot, or reboot this host"),
    7: Words("GPU needs a reboot of the whole system", "drain this system and reboot it"),
}


def recovery_words(action: int) -> Words | None:
    """What the driver recommends; None for 0, nothing."""
    unnamed = Words(f"the driver wants recovery action {action}", "see nvmlDeviceGpuRecoveryAction_t in its nvml.h")
    return _RECOVERY_WORDS.get(action, unnamed) if action else None


def driver_words(code: int) -> Words:
    """The whole driver refused."""
    return _words(_DRIVER_WORDS, code)


def gpu_words(code: int) -> Words:
    """One GPU refused."""
    return _words(_GPU_WORDS, code)


def _words(table: dict[int, Words], code: int) -> Words:
    unnamed = Words(f"{table[Code.UNKNOWN].found} (NVML error {code})", table[Code.UNKNOWN].hint)
    return table.get(code, unnamed)
