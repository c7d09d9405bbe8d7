"""prometheus-community/ipmi_exporter: the whole server by DCMI, else the sum of its power supplies' inputs."""

from collectors.meters.meter import Covers, HostMeter, Several, told_by

# As BMC makers name the sensors: "PS1 Input Power", "PSU2_PIN", "PS1 Power In". Output and capacity are others.
_SUPPLY_INPUT = r"(ps|psu|power supply)[ _]?\d+([ _](power[ _])?in(put)?([ _]power)?|[ _]?pin)"

IPMI = HostMeter(
    name="ipmi_exporter",
    signs=(frozenset({"ipmi_dcmi_power_consumption_current_watts"}), frozenset({"ipmi_power_watts"})),
    watts=(
        (Covers.SERVER, told_by("ipmi_dcmi_power_consumption_current_watts")),
        (Covers.SERVER, told_by("ipmi_power_watts", labels=(("name", _SUPPLY_INPUT),), several=Several.SUM)),
    ),
    interval_s=10.0,  # each scrape asks the BMC anew, which takes it seconds
)
