"""Tests of `ncr_exporter/ncr/`."""
