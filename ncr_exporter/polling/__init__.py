"""When to ask, and what an answer means: for tags, image lists and registry lists."""
