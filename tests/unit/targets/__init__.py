"""Tests of `ncr_exporter/targets/`."""
