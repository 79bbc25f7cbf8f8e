"""The real program, in a process of its own, under all that hostile clients do at once."""

import socket
import time
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.support.api_client import source_of, tag
from tests.support.api_thread import answering, write_config
from tests.support.certificates import certificates_in
from tests.support.program import exporter
from tests.unit.httpd.test_connection import client_that_never_reads
from tools.processes import resident_of
from tools.waiting import wait_until

pytestmark = pytest.mark.unmeasured
TAGS = 20_000
"""Enough for an answer of 8 MB, far more than sockets hold."""
ENTRY = {"name": "my-registry", "images": ["app"], "interval": "1h", "tag_series": "all"}
TLS = "tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n"


def scrape(client: httpx.Client) -> float:
    """Scrape as Prometheus does; return the seconds that it took."""
    started = time.monotonic()
    with client.stream("GET", "/metrics", headers={"accept-encoding": "gzip"}) as answer:
        assert sum(map(len, answer.iter_raw())) > 100_000
    return time.monotonic() - started


@pytest.mark.parametrize("encrypted", [False, True], ids=["plain", "tls"])
def test_hostile_clients_all_at_once_neither_delay_a_scrape_nor_cost_50_mib(
    encrypted: bool,  # noqa: FBT001 -- a parametrised case
    tmp_path: Path,
) -> None:
    certificates = certificates_in(tmp_path)
    (tmp_path / "web.yml").write_text(TLS if encrypted else "")
    with ExitStack() as stack:
        source = source_of(app=(tag(f"v{n}") for n in range(TAGS)))
        _, url = stack.enter_context(answering(source))
        config = write_config(tmp_path, url, ENTRY, requests_per_second=10000, page_size=10000)
        program = stack.enter_context(exporter(config, f"--web.config.file={tmp_path / 'web.yml'}"))
        url = program.url.replace("http", "https", 1) if encrypted else program.url
        trusted = certificates.client()
        client = stack.enter_context(
            httpx.Client(base_url=url, verify=trusted, timeout=10, trust_env=False)
        )
        wait_until(lambda: client.get("/-/ready").is_success)
        usual = max(scrape(client) for _ in range(5))
        before = resident_of(program.process.pid)
        port = httpx.URL(url).port or 0
        for n in range(500):
            half = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            half.sendall(b"" if n % 2 else b"\x16\x03\x01\x02\x00" if encrypted else b"GET / HT")
        stack.enter_context(socket.create_connection(("127.0.0.1", port)))
        for _ in range(40):
            deaf = client_that_never_reads(port, b"")
            if encrypted:
                deaf = trusted.wrap_socket(deaf, server_hostname="localhost")
            stack.enter_context(deaf).sendall(b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n")
        # At once: each deaf client has a place until its socket is full, and scrapes wait for it.
        slowest = max(scrape(client) for _ in range(5))
        grown = resident_of(program.process.pid) - before
    assert slowest < usual + 5.0, "a blocked server would be late by its deadlines, 10 s"
    assert grown < 50
