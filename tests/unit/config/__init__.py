"""Tests of `ncr_exporter/config/`."""
