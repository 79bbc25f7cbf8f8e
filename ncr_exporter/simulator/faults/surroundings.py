"""What is wrong around the answers: clocks, keys, certificates."""

from ncr_exporter.simulator.faults.fault import Fault

_TEN_MINUTES = 600.0

SURROUNDINGS = (
    Fault(
        "clock-ahead", "the gateway's clock is 10 minutes ahead of ours", clock_offset=_TEN_MINUTES
    ),
    Fault(
        "clock-behind", "the gateway's clock is 10 minutes behind ours", clock_offset=-_TEN_MINUTES
    ),
    Fault(
        "rotated-key",
        "once a second page is asked for, only another secret key is right",
        rotates_key=True,
    ),
    Fault("expired-tls", "TLS with a certificate that has expired", certificate="expired"),
    Fault("self-signed-tls", "TLS with a certificate of nobody", certificate="self-signed"),
)
