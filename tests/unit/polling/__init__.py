"""Tests of `ncr_exporter/polling/`."""
