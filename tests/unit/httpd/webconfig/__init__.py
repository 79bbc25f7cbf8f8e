"""Tests of `ncr_exporter/httpd/webconfig/`."""
