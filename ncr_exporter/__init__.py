"""Prometheus exporter for NAVER Cloud Container Registry."""

__version__ = "0.1.0"
