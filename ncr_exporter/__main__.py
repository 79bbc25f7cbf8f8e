"""Runs `python -m ncr_exporter`, which is the same program as `ncr-exporter`."""

from ncr_exporter.cli.main import run

run()
