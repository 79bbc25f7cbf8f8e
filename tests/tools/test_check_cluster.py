"""`make check-cluster`, as far as it can be tried without a cluster."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.deployed import ROOT
from tools.checking import CheckError
from tools.clusters import VARIABLE, Cluster, cluster

COMMAND = """\
#!/bin/sh
echo "answered to $*"
[ "$2" != warn ] || echo 'Warning: would violate PodSecurity "restricted:latest"' >&2
[ "$2" != fail ] || { echo 'The Service "x" is invalid' >&2; exit 1; }
"""


@pytest.fixture
def reached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """A cluster behind a command of somebody's own."""
    command = tmp_path / "my-cluster"
    command.write_text(COMMAND)
    command.chmod(0o755)
    monkeypatch.setenv(VARIABLE, str(command))
    with cluster(None, None) as found:
        return found


def test_a_command_of_one_s_own_is_given_kubectl_s_and_helm_s_words(reached: Cluster) -> None:
    assert reached.kubectl("get", "pods") == "answered to kubectl get pods\n"
    assert reached.helm("list") == "answered to helm list\n"
    assert not reached.is_own


def test_a_warning_of_the_api_server_is_a_failure(reached: Cluster) -> None:
    with pytest.raises(CheckError, match="would violate PodSecurity"):
        reached.kubectl("warn")
    with pytest.raises(CheckError, match='The Service "x" is invalid'):
        reached.helm("fail")


def test_without_a_cluster_it_says_what_it_needs(tmp_path: Path) -> None:
    environ = {key: value for key, value in os.environ.items() if key != VARIABLE}
    done = subprocess.run(
        [sys.executable, "-m", "tools.check_cluster"],
        cwd=ROOT,
        env={**environ, "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout.startswith("FAILED: needs a cluster: kind or k3d to make one, --context")
    assert VARIABLE in done.stdout
