"""The fault catalogue: what the simulated registry can do wrong, each by name."""

import difflib

from ncr_exporter.simulator.faults.bodies import BODIES
from ncr_exporter.simulator.faults.connections import CONNECTIONS, latency
from ncr_exporter.simulator.faults.fault import NO_FAULT, Fault, FaultPlan
from ncr_exporter.simulator.faults.paging import PAGING
from ncr_exporter.simulator.faults.records import RECORDS
from ncr_exporter.simulator.faults.refusals import REFUSALS, SURROUNDINGS

__all__ = ["FAULTS", "NO_FAULT", "Fault", "FaultPlan", "fault_named", "latency"]

_CATALOGUE = (*CONNECTIONS, *REFUSALS, *BODIES, *RECORDS, *PAGING, *SURROUNDINGS)

FAULTS: dict[str, Fault] = {fault.name: fault for fault in _CATALOGUE}
"""Name → fault; `demo --fault=NAME` takes these."""


def fault_named(name: str) -> Fault:
    """Return a fault of the catalogue.

    Raises:
        ValueError: there is none of that name; the message names those that come near.
    """
    if name in FAULTS:
        return FAULTS[name]
    near = difflib.get_close_matches(name, FAULTS)
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are: {', '.join(FAULTS)}"
    raise ValueError(f"there is no fault {name!r}; {hint}")
