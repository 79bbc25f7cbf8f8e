"""The tables of metric families: one row per metric, from which everything else follows."""
