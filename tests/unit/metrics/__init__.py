"""Tests of `ncr_exporter/metrics/`."""
