"""Tests of `ncr_exporter/app/`."""
