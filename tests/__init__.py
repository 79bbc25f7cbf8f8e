"""Tests in the language of those who run the exporter: expositions, configurations, log lines."""
