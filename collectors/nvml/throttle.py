"""What the clocks-event-reason bits of a GPU mean, in words, and which of them are alerts.

Source: nvmlClocksEventReason* in nvml.h. A software power cap at full load is normal: a GPU that its power limits runs
at it all the time. A slowdown by the hardware itself is not.
"""

from __future__ import annotations

IDLE = 0x1
SOFTWARE_POWER_CAP = 0x4
HARDWARE_SLOWDOWN = 0x8
SOFTWARE_THERMAL = 0x20
HARDWARE_THERMAL = 0x40
POWER_BRAKE = 0x80
ALERTS = HARDWARE_SLOWDOWN | HARDWARE_THERMAL | POWER_BRAKE

_WORDS = {
    IDLE: "idle",
    0x2: "clocks set by the user",
    SOFTWARE_POWER_CAP: "power cap",
    HARDWARE_SLOWDOWN: "hardware slowdown",
    0x10: "sync boost",
    SOFTWARE_THERMAL: "too hot (software)",
    HARDWARE_THERMAL: "too hot (hardware)",
    POWER_BRAKE: "power brake",
    0x100: "display clocks",
    0x200: "board limit",
    0x400: "reliability limit",
}


def throttle_words(bits: int) -> tuple[str, ...]:
    """One entry per bit that is set, alerts first, then lowest bit first; a bit unknown here is "reason 0x…"."""
    set_bits = [1 << place for place in range(bits.bit_length()) if bits >> place & 1]
    return tuple(
        _WORDS.get(bit, f"reason {bit:#x}") for bit in sorted(set_bits, key=lambda bit: (not bit & ALERTS, bit))
    )


def throttle_alerts(bits: int) -> tuple[str, ...]:
    """The words of the bits that no healthy GPU shows; () for none."""
    return throttle_words(bits & ALERTS)
