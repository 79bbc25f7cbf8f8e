"""The real program behind a web configuration: its start, a real Prometheus, and its log."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.certificates import Certificates, certificates_in
from tests.support.passwords import RIGHT, hash_of, users_section
from tests.support.program import Program, exporter, run
from tests.support.prometheus import RunningPrometheus, job
from tools.waiting import wait_until

CONFIG = """
api: {base_url: "http://127.0.0.1:9"}
credentials: {access_key: a, secret_key: b}
registries: [{name: my-registry, images: [app]}]
"""
TLS = "tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n"
CLIENTS = "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n"


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return certificates_in(tmp_path)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "ncr-exporter.yml"
    path.write_text(CONFIG)
    path.chmod(0o600)
    return path


@pytest.fixture
def web(tmp_path: Path) -> Path:
    return tmp_path / "web.yml"


def of(web: Path) -> str:
    return f"--web.config.file={web}"


def secure(program: Program) -> str:
    return program.url.replace("http", "https", 1)


def test_it_serves_over_tls_to_who_has_the_password_and_takes_changes_up(
    config: Path, web: Path, certificates: Certificates
) -> None:
    web.write_text(TLS + users_section({"prom": hash_of("hush-one")}))
    with (
        exporter(config, of(web), "--log.level=debug") as program,
        httpx.Client(base_url=secure(program), verify=certificates.client(), timeout=10) as client,
    ):

        def status(password: str, path: str = "/metrics") -> int:
            return client.get(path, auth=("prom", password)).status_code

        assert status("hush-one") == 200
        assert status("hush-two") == 401
        assert client.get("/-/healthy").status_code == 401
        with pytest.raises(httpx.HTTPError):
            program.get()
        web.write_text(TLS + users_section({"prom": hash_of("hush-two")}))
        wait_until(lambda: status("hush-two") == 200)
        assert status("hush-one") == 401
        web.write_text(TLS + "basic_auth_users: {prom: hush-three}\n")
        time.sleep(1.1)  # the files are looked at once a second, when somebody asks
        assert status("hush-two") == 200
        line = program.wait_for_line("new web configuration refused")
        assert f"{web}:4: basic_auth_users.prom: must be a bcrypt hash" in line
        program.stop()
        seen = "\n".join(program.log)
    assert "hush" not in seen
    assert "$2b$" not in seen
    assert "Basic" not in seen


def test_a_wrong_web_configuration_exits_2_with_every_problem_on_a_line(
    config: Path, web: Path
) -> None:
    web.write_text("tls_server_config:\n  cert_file: no.pem\nbasic_auth_users:\n  a: hush\n")
    done = run(f"--config.file={config}", of(web))
    assert done.returncode == 2
    first, second = done.stderr.splitlines()
    assert first == f"ncr-exporter: {web}:2: tls_server_config: key_file (or key) is needed for TLS"
    assert second.startswith(f"ncr-exporter: {web}:4: basic_auth_users.a: must be a bcrypt hash")
    assert "hush" not in second


def test_a_web_configuration_that_is_not_there_exits_2_and_names_the_flag(
    config: Path, web: Path
) -> None:
    done = run(f"--config.file={config}", environ={"NCR_EXPORTER_WEB_CONFIG_FILE": str(web)})
    assert done.returncode == 2
    assert str(web) in done.stderr
    assert "--web.config.file" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_password_in_work_does_not_hold_the_exit_up(config: Path, web: Path) -> None:
    costly = hash_of(RIGHT).replace("$04$", "$16$")  # five seconds
    web.write_text(users_section({"prom": costly}))
    with exporter(config, of(web)) as program:
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(program.url, auth=("prom", "x"), timeout=0.5, trust_env=False)
        code, seconds = program.stop()
    assert code == 0
    assert seconds < 2.9, "it ends by itself, before it is cut"


@pytest.mark.prometheus
def test_prometheus_scrapes_over_tls_with_a_password_and_a_certificate(
    config: Path, web: Path, certificates: Certificates
) -> None:
    certificates.issue("client", "prometheus.example")
    names = "  client_allowed_sans: [prometheus.example]\n"
    users = users_section({"prom": hash_of(RIGHT, cost=10)})
    web.write_text(TLS + CLIENTS + names + users)

    def jobs(address: str) -> Iterator[dict[str, Any]]:
        for name, password, certificate in (
            ("right", RIGHT, "client"),
            ("wrong-password", "wrong", "client"),
            ("wrong-name", RIGHT, "other"),
        ):
            tls = {
                "ca_file": str(certificates.directory / "ca.pem"),
                "cert_file": str(certificates.directory / f"{certificate}.pem"),
                "key_file": str(certificates.directory / f"{certificate}.key"),
            }
            user = {"username": "prom", "password": password}
            yield job(name, address, scheme="https", basic_auth=user, tls_config=tls)

    with (
        exporter(config, of(web)) as program,
        RunningPrometheus(*jobs(program.address)) as prometheus,
    ):
        prometheus.wait_for('up{job="right"} == 1')
        prometheus.wait_for('ncr_exporter_build_info{job="right"}')
        prometheus.wait_for('up{job=~"wrong.*"} == 0', lambda found: len(found) == 2)
        errors = {t["labels"]["job"]: t["lastError"] for t in prometheus.targets()}
        assert errors["right"] == ""
        assert "401 Unauthorized" in errors["wrong-password"]
        assert prometheus.query('up{job=~"wrong.*"} == 1') == []
