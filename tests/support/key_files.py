"""What a printed configuration asks for, made up: variables, and key files in a directory."""

import re
from pathlib import Path

SECRETS = "/run/secrets/"


def with_keys(text: str, directory: Path) -> tuple[str, dict[str, str]]:
    """Return a configuration whose key files are in `directory`, and the variables it needs."""
    for name in re.findall(rf"{SECRETS}([\w-]+)", text):
        path = directory / name
        path.write_text("made-up")
        path.chmod(0o600)
    variables = dict.fromkeys(re.findall(r"\$\{(\w+)\}", text), "made-up")
    return text.replace(SECRETS, f"{directory}/"), variables
