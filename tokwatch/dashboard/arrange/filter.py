"""Filter: what can be asked of GPUs by `/`."""

from __future__ import annotations

from typing import Final

from tokwatch.dashboard.arrange.fields import ASKED, state_word
from tokwatch.dashboard.arrange.language import EVERYTHING as EVERYTHING
from tokwatch.dashboard.arrange.language import Filter as Filter
from tokwatch.dashboard.arrange.language import FilterError as FilterError
from tokwatch.dashboard.arrange.language import Language, Numbered
from tokwatch.dashboard.arrange.site import Site
from tokwatch.ledger.snapshot import GpuRow

LANGUAGE: Final = (
    ("llama", "in the host, the GPU's name or UUID, the model, the deployment or the state"),
    ("3", "the GPU of that number"),
    ("idle", "paid for and doing nothing: parked, free, held, …"),
    ("state:parked,free", "in one of these states"),
    ("model:llama", "also host: name: uuid: deployment:"),
    ("gpu:0-3,6", "by number"),
    ("power>500", "also tok/s tok/s/w $/m $/h idle$ mem temp memtemp; > < >= <= = !="),
    ("mem>90%", "of all it has; power>90% of its limit"),
    ("util<20%", "also tensor dram; 0.2 is 20%"),
    ("for>1h", "how long in its state: s m h d"),
    ("-idle !llama", "not"),
    ('"other work"', "with a blank in it; several words have to be met all"),
)
GPUS: Final = Language[GpuRow, Site](
    ASKED,
    {
        "state": lambda row, _: (row.state, state_word(row)),
        "model": lambda row, _: (row.serves,),
        "host": lambda row, site: (site.host(row),),
        "name": lambda row, _: (row.name,),
        "uuid": lambda row, _: (row.uuid or "",),
        "deployment": lambda row, site: (site.deployment(row),),
    },
    idle=lambda row, _: row.idle and row.confirmed,
    numbered=Numbered("gpu", lambda row: row.index, lambda row: row.label),
)


def parse(text: str) -> Filter:
    """The filter of GPUs that `text` asks for. Raises FilterError with words for the user."""
    return GPUS.parse(text)
