"""Tests of `ncr_exporter/runtime/`."""
