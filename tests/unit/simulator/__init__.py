"""Tests of `ncr_exporter/simulator/`."""
