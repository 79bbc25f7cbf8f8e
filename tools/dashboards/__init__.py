"""The Grafana dashboards as people review them; `make dashboards` writes them as JSON.

JSON as Grafana keeps it repeats the data source and the look of a panel for each panel and query,
and its diffs drown what changed. Here a panel is a title, a description, a unit and its queries;
what all panels of a kind share stands once, in `panels`. The JSON is committed too, since it is
what people import; a test fails where the two differ.
"""
