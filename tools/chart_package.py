"""Package the Helm chart for a release: with its image's digest, and where its source lives.

In a checkout the chart names no image and no address, since forks have others. Both are known once
a release was built.
"""

import argparse
import re
import shutil
import sys
import tempfile
import tomllib
from pathlib import Path

import yaml

from tools.chart_values import CHART
from tools.checking import CheckError, asked, check, program, say

ROOT = Path(__file__).resolve().parents[1]
ICON = "ncr_exporter/web/status/static/icon.svg"
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
KUBERNETES = "1.33.0"
"""What the chart is rendered for, to look at it."""


def main() -> int:
    """Write the package and name it; 1 where something is wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--image", required=True, help="where it was pushed, without a tag")
    parser.add_argument("--digest", required=True, help="of the image: sha256:…")
    parser.add_argument("--registry", required=True, help="where charts are pushed: oci://…")
    parser.add_argument("--source", help="default: Source of [project.urls] in pyproject.toml")
    parser.add_argument("--out", type=Path, default=ROOT / "build")
    given = parser.parse_args()
    try:
        source = given.source or source_of((ROOT / "pyproject.toml").read_text("utf-8"))
        with tempfile.TemporaryDirectory() as directory:
            chart = filled_in(
                Path(directory, "ncr-exporter"), given.image, given.digest, source, given.registry
            )
            look_at(chart, f"{given.image}@{given.digest}")
            say(asked(program("helm"), "package", str(chart), f"--destination={given.out}").strip())
    except CheckError as error:
        say(f"FAILED: {error}")
        return 1
    return 0


def source_of(pyproject: str) -> str:
    """Return where the source lives; raises CheckError where pyproject.toml does not say."""
    urls = tomllib.loads(pyproject)["project"].get("urls", {})
    if "Source" not in urls:
        raise CheckError("pyproject.toml has no Source in [project.urls]: see docs/releasing.md")
    return str(urls["Source"])


def filled_in(target: Path, image: str, digest: str, source: str, registry: str) -> Path:
    """Copy the chart and write into the copy what a release knows; return the copy.

    Raises:
        CheckError: The digest is none, or the chart has no place for something.
    """
    if not DIGEST.fullmatch(digest):
        raise CheckError(f"{digest!r} is no digest of an image")
    shutil.copytree(CHART, target, ignore=shutil.ignore_patterns("ci"))
    _replace(target / "values.yaml", r'^  repository: ""', f'  repository: "{image}"')
    _replace(target / "values.yaml", r'^  digest: ""', f'  digest: "{digest}"')
    _replace(target / "README.md", r"oci://ghcr\.io/OWNER/charts", registry)
    chart = yaml.safe_load((target / "Chart.yaml").read_text("utf-8"))
    version = chart["version"]
    chart |= {"home": source, "sources": [source], "icon": _raw(source, version, ICON)}
    images = [{"name": "ncr-exporter", "image": f"{image}@{digest}"}]
    chart["annotations"] |= {
        "artifacthub.io/images": yaml.safe_dump(images),
        "artifacthub.io/links": yaml.safe_dump(
            [{"name": "Changelog", "url": f"{source}/blob/v{version}/CHANGELOG.md"}]
        ),
    }
    text = yaml.safe_dump(chart, sort_keys=False, width=1000)
    (target / "Chart.yaml").write_text(text, encoding="utf-8")
    return target


def _raw(source: str, version: str, path: str) -> str:
    """Return the address of a file as it is, at a version."""
    host = source.replace("https://github.com/", "https://raw.githubusercontent.com/", 1)
    return f"{host}/v{version}/{path}"


def _replace(path: Path, pattern: str, text: str) -> None:
    content, count = re.subn(pattern, text, path.read_text("utf-8"), flags=re.MULTILINE)
    if count != 1:
        raise CheckError(f"{path.name}: {pattern!r} is there {count} times")
    path.write_text(content, encoding="utf-8")


def look_at(chart: Path, image: str) -> None:
    """See that helm finds no fault, and that whoever sets nothing else runs this image."""
    helm = program("helm")
    demo = "--set=demo=true"
    asked(helm, "lint", "--strict", str(chart), demo)
    rendered = asked(helm, "template", "x", str(chart), demo, f"--kube-version={KUBERNETES}")
    images = set(re.findall(r'^ *image: "(.*)"', rendered, re.MULTILINE))
    check(images == {image}, f"the chart runs {', '.join(sorted(images))}")


if __name__ == "__main__":
    sys.exit(main())
