"""Tests of `ncr_exporter/report/`."""
