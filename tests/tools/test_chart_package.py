"""The chart of a release: it runs the image that was published, and says where its source lives."""

import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
import yaml

from ncr_exporter import __version__
from tests.support import deployed
from tools import chart_package
from tools.checking import CheckError

DIGEST = f"sha256:{'0123456789abcdef' * 4}"
IMAGE = "ghcr.io/example/ncr-exporter"
SOURCE = "https://github.com/example/ncr-exporter"
CHARTS = "oci://ghcr.io/example/charts"


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package, unpacked."""
    deployed.program("helm")
    folder = tmp_path_factory.mktemp("packaged")
    told = (f"--image={IMAGE}", f"--digest={DIGEST}", f"--registry={CHARTS}", f"--source={SOURCE}")
    words = (sys.executable, "-m", "tools.chart_package", *told, f"--out={folder}")
    done = subprocess.run(words, cwd=deployed.ROOT, capture_output=True, text=True, check=True)  # noqa: S603 -- fixed words
    assert f"ok: the chart runs {IMAGE}@{DIGEST}\n" in done.stdout
    with tarfile.open(folder / f"ncr-exporter-{__version__}.tgz") as archive:
        archive.extractall(folder, filter="data")
    return folder / "ncr-exporter"


def test_a_published_chart_runs_the_published_image_by_its_digest(package: Path) -> None:
    version = f"--kube-version={deployed.KUBERNETES}.0"
    said = deployed.run("helm", "template", "x", str(package), "--set=demo=true", version)
    found = deployed.by_kind(deployed.objects(said), "Deployment")
    (container,) = found["spec"]["template"]["spec"]["containers"]
    assert container["image"] == f"{IMAGE}@{DIGEST}"


def test_a_published_chart_leads_home(package: Path) -> None:
    chart = yaml.safe_load((package / "Chart.yaml").read_text())
    assert (chart["home"], chart["sources"]) == (SOURCE, [SOURCE])
    icon = chart["icon"].partition(f"/v{__version__}/")[2]
    assert (deployed.ROOT / icon).exists()
    (image,) = yaml.safe_load(chart["annotations"]["artifacthub.io/images"])
    assert image["image"] == f"{IMAGE}@{DIGEST}"
    assert chart["annotations"]["artifacthub.io/license"] == "Apache-2.0"


def test_a_published_chart_says_where_it_is_installed_from(package: Path) -> None:
    text = (package / "README.md").read_text()
    assert f"`{CHARTS}/ncr-exporter`" in text
    assert "OWNER" not in text
    assert not (package / "ci").exists()


def test_a_chart_is_changed_in_nothing_else(package: Path) -> None:
    def filled(path: Path) -> str:
        text = path.read_text()
        for key, value in (("repository", IMAGE), ("digest", DIGEST)):
            text = re.sub(rf'^(  {key}: )""', rf'\1"{value}"', text, flags=re.MULTILINE)
        return text

    changed = {Path("Chart.yaml"), Path("README.md")}
    packaged = {path.relative_to(package) for path in package.rglob("*") if path.is_file()}
    assert len(packaged) > 25
    for path in packaged - changed:
        assert (package / path).read_text() == filled(deployed.CHART / path)
    ours = {
        path.relative_to(deployed.CHART) for path in deployed.CHART.rglob("*") if path.is_file()
    }
    left_out = ours - packaged
    assert all(path.parts[0] in {"ci", ".helmignore"} for path in left_out)


def test_what_is_no_digest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckError, match="'latest' is no digest"):
        chart_package.filled_in(tmp_path / "chart", IMAGE, "latest", SOURCE, CHARTS)


def test_a_chart_of_nowhere_is_refused() -> None:
    text = '[project.urls]\nSource = "https://git.example/it"\n'
    assert chart_package.source_of(text) == "https://git.example/it"
    with pytest.raises(CheckError, match="no Source"):
        chart_package.source_of("[project]\n")
