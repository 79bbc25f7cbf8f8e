"""The line grammar that text 0.0.4 and OpenMetrics 1.0 share, and where their headers differ."""

from ncr_exporter.metrics.families.family import Family, Number

_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})
_HELP_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n"})


def label_pair(name: str, value: str) -> str:
    """Return `name="value"`, escaped."""
    return f'{name}="{value.translate(_ESCAPES)}"'


def series(name: str, pairs: str) -> str:
    """Return what stands before a sample's value; `pairs` are label pairs joined by commas."""
    return f"{name}{{{pairs}}}"


def sample_line(name: str, pairs: str, value: Number) -> str:
    """Return one sample; `pairs` are label pairs joined by commas.

    Ints are written whole and floats in Python's shortest form, which both formats read back to
    the same float.
    """
    return f"{series(name, pairs)} {value!r}\n"


def header(family: Family, *, openmetrics: bool) -> bytes:
    """Return a family's TYPE and HELP, and UNIT where OpenMetrics has one."""
    name = family.openmetrics_name if openmetrics else family.name
    help_text = family.help_text.translate(_ESCAPES if openmetrics else _HELP_ESCAPES)
    lines = [f"# HELP {name} {help_text}\n", f"# TYPE {name} {family.type}\n"]
    if openmetrics and family.unit:
        lines.append(f"# UNIT {name} {family.unit}\n")
    return "".join(lines).encode()
