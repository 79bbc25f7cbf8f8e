"""Comparisons that anybody can repeat: `python -m bench.scrape`, `poll`, `stalls` and so on."""
