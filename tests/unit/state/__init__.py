"""Tests of `ncr_exporter/state/`."""
