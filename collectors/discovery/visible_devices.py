"""Which accelerators a process was given, from its environment variables."""

from __future__ import annotations

import re
from collections.abc import Mapping

# A runtime that hands devices to a container or a process, and the one inside that counts among those.
_OUTER_DEVICES = ("NVIDIA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES")
_INNER_DEVICES = ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES")
_ORDER = "CUDA_DEVICE_ORDER"
DEVICE_VARIABLES = (*_OUTER_DEVICES, *_INNER_DEVICES, _ORDER)
# An index, "GPU:INSTANCE" of a MIG instance, or the beginning of a UUID.
_DEVICE = re.compile(r"\d{1,3}(:\d{1,3})?|(GPU|MIG|MIG-GPU)-[0-9A-Fa-f-]{4,40}(/\d+/\d+)?", re.ASCII)


def visible_devices(variables: Mapping[str, str]) -> str | None:
    """The devices that a process was given, as "0,1" or UUIDs; "" for none at all, None where no variable tells.

    CUDA's own indices count the fastest device first; where the process asked for the order of the PCI bus, which is
    the driver's, they are written "pci:0". Indices in CUDA_VISIBLE_DEVICES count within NVIDIA_VISIBLE_DEVICES where a
    container runtime set that, and HIP's within ROCR's. As in CUDA the list ends at the first entry that is no device.
    """
    outer = next((variables[name] for name in _OUTER_DEVICES if name in variables), None)
    inner = next((variables[name] for name in _INNER_DEVICES if name in variables), None)
    given = _devices(outer) if outer is not None else []
    if inner is None:
        return ",".join(given) if given else None  # "all", "void" and "none" are the image's default, not a choice
    chosen: list[str] = []
    for device in _devices(inner):
        if given and device.isdigit():
            if int(device) >= len(given):
                break
            device = given[int(device)]
        elif device.isdigit() and variables.get(_ORDER) == "PCI_BUS_ID":
            device = f"pci:{device}"
        chosen.append(device)
    return ",".join(chosen)


def _devices(text: str) -> list[str]:
    devices: list[str] = []
    for entry in text.split(","):
        if not _DEVICE.fullmatch(entry.strip()):
            break
        devices.append(entry.strip())
    return devices
