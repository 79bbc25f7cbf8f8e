"""Tests of `ncr_exporter/web/status/`."""
