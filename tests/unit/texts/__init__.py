"""Tests of `ncr_exporter/texts/`."""
