"""Tests of `ncr_exporter/check_online/`."""
