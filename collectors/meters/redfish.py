"""Exporters that ask a BMC by Redfish: idrac_exporter (of any make) and redfish_exporter."""

from collectors.meters.meter import Covers, HostMeter, Several, told_by

INTERVAL_S = 10.0  # each scrape asks the BMC anew, which takes it seconds

IDRAC = HostMeter(
    name="idrac_exporter",
    signs=(frozenset({"idrac_power_control_consumed_watts"}), frozenset({"idrac_power_supply_input_watts"})),
    watts=(
        # The first entry is the whole system; some BMCs add one for its processors.
        (Covers.SERVER, told_by("idrac_power_control_consumed_watts", labels=(("id", "0"),))),
        (Covers.SERVER, told_by("idrac_power_supply_input_watts", several=Several.SUM)),
    ),
    interval_s=INTERVAL_S,
)

REDFISH = HostMeter(
    name="redfish_exporter",
    signs=(frozenset({"redfish_chassis_power_powersupply_power_input_watts"}),),
    # Not …power_average_consumed_watts: the mean of a minute or more, at an instant that nobody tells.
    watts=(
        (
            Covers.SERVER,
            told_by("redfish_chassis_power_powersupply_power_input_watts", several=Several.SUM),
        ),
    ),
    interval_s=INTERVAL_S,
)
