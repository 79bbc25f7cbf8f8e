"""The compose file: docker compose reads it, and what it mounts and asks for is there."""

import json
import re
from pathlib import Path

import yaml

from ncr_exporter import __version__
from tests.support import deployed
from tests.support.deployed import DEPLOY, PORT, Object, run
from tests.support.prometheus import required_tools
from tools.kubernetes.quantities import amount

FOLDER = DEPLOY / "compose"


def composed() -> Object:
    said = run("docker-compose", "--file", str(FOLDER / "compose.yml"), "config", "--format=json")
    config: Object = json.loads(said)
    return config


def prometheus() -> Object:
    config: Object = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
    return config


def test_docker_compose_finds_these_services_in_it() -> None:
    assert composed()["services"].keys() == {
        *("ncr-exporter", "prometheus", "alertmanager", "grafana")
    }


def test_every_mounted_path_is_there() -> None:
    services = composed()["services"].values()
    mounts = [mount for service in services for mount in service.get("volumes", [])]
    sources = {Path(mount["source"]) for mount in mounts if mount["type"] == "bind"}
    assert len(sources) == 5
    assert {source for source in sources if not source.exists()} == set()
    assert all(mount["read_only"] for mount in mounts if mount["type"] == "bind")


def test_the_exporter_runs_the_demo_contained_and_on_its_port() -> None:
    service = composed()["services"]["ncr-exporter"]
    assert service["image"] == f"ncr-exporter:{__version__}"
    assert Path(service["build"]["context"]) == deployed.ROOT
    deployed.check_arguments(service["command"])
    assert service["healthcheck"]["test"][:2] == ["CMD", "ncr-exporter"]
    deployed.check_arguments(service["healthcheck"]["test"][2:])
    assert [port["target"] for port in service["ports"]] == [PORT]
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])


def test_every_service_has_a_check_that_is_waited_for() -> None:
    services = composed()["services"]
    for name, service in services.items():
        test = service["healthcheck"]["test"]
        assert test[0] == "CMD", "no image here needs a shell"
        own = {port["target"] for port in service["ports"]}
        asked = {int(port) for port in re.findall(r"localhost:(\d+)", " ".join(test))}
        assert asked <= own, name
        waited_for = service.get("depends_on", {}).values()
        assert {each["condition"] for each in waited_for} <= {"service_healthy"}


def test_the_exporter_has_the_memory_that_the_chart_gives_it() -> None:
    given = composed()["services"]["ncr-exporter"]["mem_limit"]
    values = yaml.safe_load((deployed.CHART / "values.yaml").read_text())
    assert int(given) == amount(values["resources"]["limits"]["memory"])
    manual = (DEPLOY / "README.md").read_text()
    assert f"--memory={int(given) >> 20}m" in manual


def test_nothing_answers_but_to_this_machine() -> None:
    for service in composed()["services"].values():
        assert all(port["host_ip"] == "127.0.0.1" for port in service["ports"])
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]


def test_no_image_is_the_latest() -> None:
    for service in composed()["services"].values():
        assert re.search(r":v?\d+\.\d+\.\d+$", service["image"])


def test_prometheus_asks_the_services_on_the_ports_that_they_have() -> None:
    services = composed()["services"]
    config = prometheus()
    (manager,) = config["alerting"]["alertmanagers"]
    (job,) = config["scrape_configs"]
    for static in (*manager["static_configs"], *job["static_configs"]):
        for target in static["targets"]:
            name, _, port = target.partition(":")
            assert int(port) in {each["target"] for each in services[name]["ports"]}


def test_promtool_takes_the_configuration_of_prometheus(prometheus_tools: object) -> None:
    assert prometheus_tools == required_tools()
    said = run(str(required_tools().promtool), "check", "config", str(FOLDER / "prometheus.yml"))
    assert "FAILED" not in said


def test_grafana_is_told_where_the_dashboards_are() -> None:
    mounts = {
        mount["target"]: Path(mount["source"])
        for mount in composed()["services"]["grafana"]["volumes"]
        if mount["type"] == "bind"
    }
    provisioned = mounts["/etc/grafana/provisioning"] / "dashboards"
    for file in provisioned.glob("*.y*ml"):
        for provider in yaml.safe_load(file.read_text())["providers"]:
            assert provider["options"]["path"] in mounts
    home = composed()["services"]["grafana"]["environment"]
    path = Path(home["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    source = mounts[str(path.parent)]
    assert (source / path.name).exists()


def test_grafana_asks_prometheus_where_it_is() -> None:
    services = composed()["services"]
    for file in (DEPLOY / "grafana" / "provisioning" / "datasources").glob("*.y*ml"):
        for source in yaml.safe_load(file.read_text())["datasources"]:
            name, _, port = source["url"].removeprefix("http://").partition(":")
            assert int(port) in {each["target"] for each in services[name]["ports"]}
