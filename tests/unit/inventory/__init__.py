"""Tests of `ncr_exporter/inventory/`."""
