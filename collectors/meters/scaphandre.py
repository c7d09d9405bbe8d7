"""scaphandre: RAPL in microwatts. What it calls the host is its processors and memory."""

from collectors.meters.meter import Covers, HostMeter, told_by

SCAPHANDRE = HostMeter(
    name="scaphandre",
    signs=(frozenset({"scaph_host_power_microwatts"}),),
    watts=((Covers.PROCESSORS, told_by("scaph_host_power_microwatts", scale=1e-6)),),
)
