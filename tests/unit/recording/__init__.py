"""Tests of `ncr_exporter/recording/`."""
