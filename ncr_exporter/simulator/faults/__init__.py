"""All faults of the simulated registry, by name."""

import difflib

from ncr_exporter.simulator.faults.bodies import BODIES
from ncr_exporter.simulator.faults.connections import CONNECTIONS, latency
from ncr_exporter.simulator.faults.environment import ENVIRONMENT
from ncr_exporter.simulator.faults.fault import NO_FAULT, Fault, FaultPlan
from ncr_exporter.simulator.faults.paging import PAGING
from ncr_exporter.simulator.faults.records import RECORDS
from ncr_exporter.simulator.faults.refusals import REFUSALS

__all__ = ["FAULTS", "NO_FAULT", "Fault", "FaultPlan", "fault_named", "latency"]

_ALL = (*CONNECTIONS, *REFUSALS, *BODIES, *RECORDS, *PAGING, *ENVIRONMENT)

FAULTS: dict[str, Fault] = {fault.name: fault for fault in _ALL}
"""Name → fault, for `demo --fault=NAME`."""


def fault_named(name: str) -> Fault:
    """Return the fault with a name.

    Raises:
        ValueError: there is no such fault; the message suggests similar names.
    """
    if name in FAULTS:
        return FAULTS[name]
    near = difflib.get_close_matches(name, FAULTS)
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are: {', '.join(FAULTS)}"
    raise ValueError(f"there is no fault {name!r}; {hint}")
