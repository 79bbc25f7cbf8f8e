"""`health`, asked of the real program: exit 0 or 1, and no other thing to remember."""

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from subprocess import run as run_process
from threading import Thread

import pytest

from tests.support.http_server import needs_ipv6
from tests.support.program import Program, demo, run


@contextmanager
def answering(status: int) -> Iterator[str]:
    """Give the address of a server that answers everything with this status."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_running_exporter_is_healthy_and_a_stopped_one_is_not() -> None:
    with demo() as program:
        address = program.url.removeprefix("http://")
        done = run("health", f"--web.listen-address={address}")
        assert (done.returncode, done.stdout, done.stderr) == (0, "healthy\n", "")
        port = address.rpartition(":")[2]
        for all_interfaces in (f":{port}", f"0.0.0.0:{port}"):
            environ = {"NCR_EXPORTER_WEB_LISTEN_ADDRESS": all_interfaces}
            assert run("health", environ=environ).returncode == 0, all_interfaces
        assert run("health", f"--url={program.url}").returncode == 0
        program.stop()
    done = run("health", f"--web.listen-address={address}")
    assert done.returncode == 1
    assert f"not healthy: http://{address}/-/healthy: " in done.stderr
    assert "refused" in done.stderr
    assert "Traceback" not in done.stderr


@needs_ipv6
def test_an_exporter_on_ipv6_is_asked_there() -> None:
    with Program("demo", "--web.listen-address=[::1]:0", "--write-config=") as program:
        port = program.url.rpartition(":")[2]
        for address in (f"[::1]:{port}", f"[::]:{port}", f":{port}"):
            assert run("health", f"--web.listen-address={address}").returncode == 0, address


def test_an_exporter_that_listens_on_ipv4_alone_is_found_behind_all_of_ipv6() -> None:
    with Program("demo", "--web.listen-address=127.0.0.1:0") as program:
        port = program.url.rpartition(":")[2]
        assert run("health", f"--web.listen-address=[::]:{port}").returncode == 0


@pytest.mark.parametrize(("status", "code"), [(200, 0), (401, 0), (503, 1), (404, 1)])
def test_only_an_answer_of_the_exporter_counts(status: int, code: int) -> None:
    with answering(status) as address:
        done = run("health", f"--web.listen-address={address}")
    assert done.returncode == code
    assert code == 0 or f"HTTP {status}" in done.stderr


def test_something_that_speaks_no_http_is_not_healthy_and_tls_is_thought_of() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            connection.recv(1000)
            connection.sendall(b"\x15\x03\x01\x00\x02\x02\x46")  # a TLS alert
            connection.close()

        thread = Thread(target=answer)
        thread.start()
        done = run("health", f"--web.listen-address=127.0.0.1:{server.getsockname()[1]}")
        thread.join()
    assert done.returncode == 1
    assert "--url=https://" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("url", ["localhost:1", "ftp://localhost", "https://", "http://a:0"])
def test_what_is_no_url_exits_2(url: str) -> None:
    done = run("health", f"--url={url}")
    assert done.returncode == 2
    assert "--url: must be a URL such as" in done.stderr


def test_it_imports_neither_the_client_nor_the_logs() -> None:
    """It starts every few seconds beside the exporter, on the exporter's own CPU share."""
    code = (
        "import sys; from ncr_exporter.cli.main import main; main(['health', '--url=http://127.0.0.1:1']);"
        "print(*{'httpx', 'asyncio', 'structlog', 'yaml', 'msgspec'} & set(sys.modules))"
    )
    done = run_process(  # noqa: S603 -- fixed words
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout == "\n"
