"""What the labels of a series speak of: a GPU, a server, a flow; where it is, and in which pod."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from collectors.labels import clean_label
from collectors.meters.meter import Meter
from collectors.meters.reader import plain
from collectors.prometheus.identity import INSTANCE, HostIdentity
from tokwatch.feeds.prometheus_quarters.asking import Labels

POD_LABELS: Final = ("namespace", "pod", "exported_namespace", "exported_pod")
_PORT: Final = re.compile(r":[0-9]+$")


class Pod(NamedTuple):
    """Of Kubernetes; a GPU's is the one that has it, a server's the one that it runs in."""

    namespace: str
    name: str


class Gpu(NamedTuple):
    """A GPU by its natural key (see `registry.gpu_key`)."""

    host: str
    key: str


class GpuAbout(NamedTuple):
    """What a GPU's labels tell of it."""

    number: int  # its index on the host
    uuid: str | None
    name: str | None
    driver: str | None


class Server(NamedTuple):
    """An inference server by the target it is scraped as."""

    host: str
    address: str
    engine: str


class Half(NamedTuple):
    """What a server's labels tell of what it is a part of."""

    role: str = ""  # "prefill" | "decode", "" for both in one
    namespace: str = ""  # Dynamo's
    place: str = ""  # region and cluster


class Pair(NamedTuple):
    """Servers that make their tokens together, some of which prefill and others decode."""

    servers: tuple[Server, ...]
    name: str  # "" where the servers' addresses name it


class Flow(NamedTuple):
    """One model on one server."""

    server: Server
    model: str
    tenant: str
    tier: str


def host_of(labels: Labels, identity: HostIdentity) -> str:
    """The name of the host, as `HostIdentity` tells a server to make it; "" without any."""
    label = next((label for label in identity.host if labels.get(label)), None)
    if label is None:
        return ""
    return clean_label(_PORT.sub("", labels[label]) if label == INSTANCE else labels[label])


def names_its_host(labels: Labels, identity: HostIdentity) -> bool:
    """By a label that says so; else it is called after the address that it is scraped at."""
    return any(labels.get(label) for label in identity.host if label != INSTANCE)


def pod_of(labels: Labels) -> Pod | None:
    """Where an exporter names a pod, Prometheus has moved that aside for its own label: it goes first."""
    told = plain({label: labels[label] for label in POD_LABELS if label in labels})
    return Pod(told.get("namespace", ""), told["pod"]) if told.get("pod") else None


def gpu_of(labels: Labels, meter: Meter, identity: HostIdentity) -> tuple[Gpu, GpuAbout] | None:
    """None where they name no device."""
    told = plain(labels)
    named = next(
        (values for names in meter.identity if all(values := tuple(told.get(name, "") for name in names))), None
    )
    if named is None:
        return None
    uuid = told.get(meter.uuid) if meter.uuid else None
    if uuid and not uuid.startswith(meter.uuid_prefix):
        uuid = meter.uuid_prefix + uuid
    numbers = (told.get(label, "") for label in meter.index)
    index = next((int(number) for number in numbers if number.isascii() and number.isdigit() and len(number) < 6), None)
    pci = next((told[label] for label in meter.pci if told.get(label)), None)
    name = next((told[label] for label in meter.model if told.get(label)), meter.device_name)
    driver = next((told[label] for label in meter.driver if told.get(label)), None)
    key = uuid or pci or (f"index:{index}" if index is not None else "/".join(named))
    return Gpu(host_of(labels, identity), key), GpuAbout(0 if index is None else index, uuid or None, name, driver)
