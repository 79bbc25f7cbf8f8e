"""examples/: each is taken by the program, by its plan, and by the editors' schema."""

from pathlib import Path

import jsonschema
import pytest
import yaml

from ncr_exporter.config import parse
from ncr_exporter.config.schema import json_schema
from tests.support.in_process import run
from tests.support.key_files import with_keys

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.yml"))
SCHEMA = "# yaml-language-server: $schema=../ncr_exporter/config/schema.json"


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_check_takes_an_example_and_says_what_it_asks_for(path: Path, tmp_path: Path) -> None:
    text, variables = with_keys(path.read_text(encoding="utf-8"), tmp_path)
    config = tmp_path / path.name
    config.write_text(text)
    done = run("check", f"--config.file={config}", environ=variables)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{path.name} is valid" in done.stdout
    assert "requests " in done.stdout
    for registry in parse(text, path.name, variables).registries:
        assert registry.label or registry.name in done.stdout


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_editors_complete_an_example_and_find_no_fault(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith(f"{SCHEMA}\n# ")
    jsonschema.Draft7Validator(json_schema()).validate(yaml.safe_load(text))


def test_there_are_five_and_the_first_is_short_enough_to_type() -> None:
    assert len(EXAMPLES) == 5
    first = ROOT / "examples" / "one-registry.yml"
    assert len(first.read_text(encoding="utf-8").splitlines()) <= 10
