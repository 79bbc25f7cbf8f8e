"""The status page at `/`: `handler` serves it, `page` renders it, the other modules are pure."""
