"""The values that share one nvmlDeviceGetFieldValues call: fetched once a tick, each with its own return code."""

from __future__ import annotations

from collectors.nvml import port
from collectors.nvml.calls import Calls
from collectors.nvml.errors import Code, Refusal
from collectors.nvml.port import Driver, Handle
from collectors.readings import Reason

Key = tuple[int, int]  # field id, scope


class FieldBatch:
    def __init__(self, driver: Driver, calls: Calls, handle: Handle, keys: list[Key]) -> None:
        self._driver = driver
        self._calls = calls
        self._handle = handle
        self._wanted = list(keys)
        self._answers: dict[Key, tuple[int, int]] = {}  # return code, value

    def fetch(self) -> None:
        """Asks for everything that is wanted and not known to be unsupported. Refusals wait until `value`."""
        if self._wanted:
            self._ask(self._wanted)

    def value(self, field: int, scope: int = port.SCOPE_GPU) -> int:
        """The value as of the last `fetch`; Refusal where this one was refused.

        A field that was not wanted so far is asked for now, and with the others from now on.
        """
        key = (field, scope)
        if key not in self._wanted:
            self._wanted.append(key)
            self._ask([key])
        code, value = self._answers[key]
        if code != Code.SUCCESS:
            refusal = Refusal(f"nvmlDeviceGetFieldValues, field {field} scope {scope}", code)
            if refusal.reason is Reason.UNSUPPORTED:
                self._wanted.remove(key)
            raise refusal
        return value

    def _ask(self, keys: list[Key]) -> None:
        try:
            entries = self._calls(self._driver.nvmlDeviceGetFieldValues, self._handle, keys)
        except Refusal as refusal:
            self._answers.update(dict.fromkeys(keys, (refusal.code, 0)))
            return
        for key, entry in zip(keys, entries, strict=True):
            value = 0 if entry.nvmlReturn else getattr(entry.value, port.UNION_MEMBER[entry.valueType])
            self._answers[key] = (entry.nvmlReturn, value)
