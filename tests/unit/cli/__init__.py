"""Tests of `ncr_exporter/cli/`."""
