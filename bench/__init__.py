"""Comparisons that anybody can repeat: `make bench`, or `python -m bench.scrape` and its like."""
