"""READMEs and other documents: their blocks, commands and outlines."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Readme:
    """One of them."""

    text: str

    @property
    def blocks(self) -> list[tuple[str, str]]:
        """Language and content of each fenced block, in order."""
        return [(match[1], match[2]) for match in _BLOCK.finditer(self.text)]

    @property
    def prose(self) -> str:
        """What is not in a block."""
        return _BLOCK.sub("", self.text)

    @property
    def levels(self) -> list[int]:
        """How deep each heading is."""
        return [len(marks) for marks in re.findall(r"^(#+) ", self.prose, re.MULTILINE)]

    @property
    def code(self) -> set[str]:
        """What the prose shows as code."""
        return set(re.findall(r"`([^`\n]+)`", self.prose))

    @property
    def links(self) -> list[str]:
        """Where links and pictures lead."""
        return re.findall(r"\]\(([^)]+)\)", self.prose)

    @property
    def commands(self) -> list[str]:
        """Each command of the shell, on one line."""
        return joined("".join(content for language, content in self.blocks if language == "sh"))

    def configuration(self, key: str) -> str:
        """Return the YAML block whose first key this is."""
        first = re.compile(rf"(?:#.*\n)*{key}:")
        (found,) = (text for kind, text in self.blocks if kind == "yaml" and first.match(text))
        return found


ENGLISH = Readme((ROOT / "README.md").read_text(encoding="utf-8"))
KOREAN = Readme((ROOT / "README.ko.md").read_text(encoding="utf-8"))


def joined(content: str) -> list[str]:
    """Return the commands of a block of the shell, each on one line."""
    return content.replace("\\\n", " ").splitlines()


def words(command: str) -> list[str]:
    """Return what a shell hands on."""
    return shlex.split(command, comments=True)
