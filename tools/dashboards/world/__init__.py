"""Worlds to look at dashboards with: made-up registries, and what exporters published of them.

A world is written into a running Prometheus as history, one sample a minute as scrapes are, by
remote write (`python -m tools.dashboards.world URL`). `small` is a team's, `large` a company's: 30
registries, 2,000 images and 67,000 tags. Each can end in an outage, of the API or of the exporters.
"""
