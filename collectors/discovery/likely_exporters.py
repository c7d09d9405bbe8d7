"""Where on this box an exporter of power may answer: usual ports, less those that others could lie to us from."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from collectors.discovery.processes import ListeningPort, ProcSource
from collectors.discovery.trust import is_trusted, runs_trusted
from collectors.readings import ServerFacts

# Where exporters listen unless told otherwise. Not 8000, neuron-monitor's: a TensorRT-LLM server there loses data with
# every read of /metrics. Not 8080, scaphandre's: llama.cpp's gauges are emptied by each. These two need the config.
USUAL_PORTS = (9400, 9835, 5000, 41611, 2112, 9090, 28282, 9290)


def likely_exporters(
    ports: Iterable[ListeningPort], servers: Collection[ServerFacts], proc: ProcSource
) -> tuple[str, ...]:
    """URLs of this box on which an exporter may answer: usual ports that are open, and no found server's own.

    None that belong to another ordinary user, who could tell us any watts.
    """
    addresses = {server.address.rpartition(":")[2] for server in servers}
    pids = {pid for server in servers for pid in server.pids}
    free = {
        port.port
        for port in ports
        if port.port in USUAL_PORTS
        and str(port.port) not in addresses
        and port.pid not in pids
        and _trusted(port, proc)
    }
    return tuple(f"http://127.0.0.1:{port}/metrics" for port in USUAL_PORTS if port in free)


def _trusted(port: ListeningPort, proc: ProcSource) -> bool:
    if port.uid is not None and not is_trusted(port.uid, proc):
        return False
    return port.pid is None or runs_trusted(port.pid, proc)
