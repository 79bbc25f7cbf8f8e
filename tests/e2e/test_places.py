"""The real program when clients take every place: those who matter are served all the same."""

import re
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from tests.e2e import test_hanging
from tests.support.api_client import source_of, tag
from tests.support.api_thread import answering, write_config
from tests.support.passwords import RIGHT, authorization, hash_of, users_section
from tests.support.program import Program, exporter, run
from tools.fault_table import PRESSURE
from tools.waiting import wait_until

pytestmark = pytest.mark.unmeasured
DESCRIPTORS = 256
"""A low limit: a crowd of a few hundred fills the program, and the test needs no more itself."""
SOON = 4.0
"""Seconds that a busy machine may take to answer what costs nothing."""
PROBES = ("/-/healthy", "/-/ready", "/metrics")


def limited(descriptors: int) -> tuple[str, str]:
    """Return how to start the program so that it opens no more than this, like `ulimit -n`."""
    limit = f"resource.setrlimit(resource.RLIMIT_NOFILE, ({descriptors},) * 2)"
    run = "runpy.run_module('ncr_exporter', run_name='__main__', alter_sys=True)"
    return ("-c", f"import resource, runpy; {limit}; {run}")


@pytest.fixture(scope="module")
def api() -> Iterator[str]:
    """Give the URL of a registry of two images."""
    with answering(source_of(app=[tag("v1"), tag("v2")], web=[tag("v1")])) as (_, url):
        yield url


@contextmanager
def crowded(url: str, directory: Path, descriptors: int = DESCRIPTORS) -> Iterator[Program]:
    """Run the program with few descriptors."""
    config = write_config(directory, url, "my-registry")
    words = (f"--config.file={config}", "--web.listen-address=127.0.0.1:0")
    with Program(*words, start=limited(descriptors)) as program:
        program.ready()
        yield program


def connected(program: Program) -> socket.socket:
    host, _, port = program.address.rpartition(":")
    return socket.create_connection((host, int(port)), timeout=10)


def kept_alive(program: Program) -> socket.socket:
    """Return a connection whose one request was answered, and which stays."""
    client = connected(program)
    try:
        client.sendall(b"GET /-/healthy HTTP/1.1\r\nhost: x\r\n\r\n")
        while (part := client.recv(1000)) and not part.endswith(b"healthy\n"):
            pass
    except OSError:
        pass  # turned away
    return client


def served_in(program: Program, path: str, **headers: str) -> float:
    """Ask for a path, which must be there, and return the seconds that it took."""
    started = time.monotonic()
    answer = program.get(path, **headers)
    assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text}"
    return time.monotonic() - started


def test_a_crowd_that_keeps_its_connections_keeps_nobody_out(api: str, tmp_path: Path) -> None:
    """With a first come, first kept server nobody gets in for as long as the crowd likes."""
    with crowded(api, tmp_path) as program, ExitStack() as stack:
        crowd = [stack.enter_context(kept_alive(program)) for _ in range(2 * DESCRIPTORS)]
        slowest = max(served_in(program, path) for path in PROBES for _ in range(5))
        (open_now,) = re.findall(r"\nncr_exporter_open_connections (\S+)", program.get().text)
        crowd[-1].sendall(b"GET /-/healthy HTTP/1.1\r\nhost: x\r\n\r\n")
        assert crowd[-1].recv(15) == b"HTTP/1.1 200 OK", "the newest of the crowd is still there"
        code, _ = program.stop()
    assert slowest < SOON
    assert DESCRIPTORS / 4 < float(open_now) < DESCRIPTORS
    said = [line for line in program.log if "connections" in line]
    assert len(said) == 1, said
    assert "level=warn" in said[0]
    assert code == 0


def test_half_a_request_each_keeps_nobody_out(api: str, tmp_path: Path) -> None:
    with crowded(api, tmp_path) as program, ExitStack() as stack:
        for _ in range(2 * DESCRIPTORS):
            stack.enter_context(connected(program)).sendall(b"GET / HT")
        assert max(served_in(program, path) for path in PROBES) < SOON


def test_out_of_descriptors_the_log_stays_short(api: str, tmp_path: Path) -> None:
    """Asyncio's own words about each connection that cannot be accepted are 1.8 MB a second."""
    with crowded(api, tmp_path, descriptors=40) as program, ExitStack() as stack:
        end = time.monotonic() + 5.0
        while time.monotonic() < end:
            for _ in range(50):
                client = socket.socket()
                client.setblocking(False)
                client.connect_ex(("127.0.0.1", int(program.url.rpartition(":")[2])))
                stack.enter_context(client)
            time.sleep(0.2)
        wait_until(lambda: served_in(program, "/-/healthy") < SOON, 10)
        program.stop()
    written = sum(map(len, program.log))
    assert written < 5_000, f"{written} bytes of log; {program.log[5][:300]}"
    assert all(line.startswith("ts=") for line in program.log)


@contextmanager
def guessing(program: Program, clients: int, user: str) -> Iterator[list[int]]:
    """Let clients guess passwords until the end of the block; give the statuses so far."""
    ended, statuses = threading.Event(), list[int]()

    def guess(number: int) -> None:
        with httpx.Client(base_url=program.url, timeout=60, trust_env=False) as http:
            guesses = 0
            while not ended.is_set():
                guesses += 1
                given = authorization(user.format(number), f"{number} {guesses}")
                try:
                    answer = http.get("/metrics", headers={"authorization": given})
                except httpx.HTTPError:
                    continue
                statuses.append(answer.status_code)

    threads = [threading.Thread(target=guess, args=(n,)) for n in range(clients)]
    for thread in threads:
        thread.start()
    try:
        wait_until(lambda: len(statuses) > clients, 30)
        yield statuses
    finally:
        ended.set()
        for thread in threads:
            thread.join()


@contextmanager
def guarded(url: str, directory: Path, cost: int = 8) -> Iterator[Program]:
    """Run the program with one user, alice."""
    web = directory / "web.yml"
    web.write_text(users_section({"alice": hash_of(RIGHT, cost)}))
    with exporter(write_config(directory, url, "my-registry"), f"--web.config.file={web}") as it:
        yield it


def logged_in(program: Program) -> tuple[int, float]:
    """Return the status of a scrape with the right password, and its seconds."""
    started = time.monotonic()
    given = {"authorization": authorization("alice", RIGHT)}
    answer = httpx.get(f"{program.url}/metrics", headers=given, timeout=30, trust_env=False)
    return answer.status_code, time.monotonic() - started


def test_guesses_at_users_who_do_not_exist_delay_nobody(api: str, tmp_path: Path) -> None:
    with guarded(api, tmp_path) as program, guessing(program, 40, "mallory{}") as statuses:
        status, seconds = logged_in(program)
    assert status == 200
    assert seconds < SOON
    assert set(statuses) == {401}


def test_among_guesses_at_a_known_user_the_right_password_gets_in(api: str, tmp_path: Path) -> None:
    """Where the next is refused while others wait, 15 of 15 scrapes are answered 503."""
    with guarded(api, tmp_path) as program, guessing(program, 40, "alice"):
        tries: list[tuple[int, float]] = []
        while not tries or (tries[-1][0] != 200 and len(tries) < 15):
            tries.append(logged_in(program))
            time.sleep(0.3)
        assert tries[-1][0] == 200, tries
        assert max(logged_in(program)[1] for _ in range(3)) < SOON, "it is remembered"


def test_a_hash_that_takes_hours_is_refused_at_the_start(api: str, tmp_path: Path) -> None:
    web = tmp_path / "web.yml"
    web.write_text(users_section({"alice": hash_of(RIGHT).replace("$04$", "$31$")}))
    config = write_config(tmp_path, api, "my-registry")
    ended = run(f"--config.file={config}", f"--web.config.file={web}")
    assert ended.returncode == 2
    assert "basic_auth_users.alice: is a bcrypt hash of cost 31" in ended.stderr


def test_visitors_of_the_report_delay_no_scrape(tmp_path: Path) -> None:
    """At 5,000 images and 8 visitors a scrape waited for 3.2 s."""
    images = {f"app{n}": [tag("v1")] for n in range(600)}
    ended, statuses = threading.Event(), list[int]()
    with answering(source_of(**images)) as (_, url):
        config = write_config(tmp_path, url, "my-registry", requests_per_second=10000)
        with exporter(config) as program:
            program.ready(60)

            def visit() -> None:
                with httpx.Client(base_url=program.url, timeout=60, trust_env=False) as http:
                    while not ended.is_set():
                        answer = http.get("/report.csv")
                        statuses.append(answer.status_code)
                        if answer.is_success:
                            assert answer.text.count("\n") == 601

            visitors = [threading.Thread(target=visit) for _ in range(16)]
            for visitor in visitors:
                visitor.start()
            wait_until(lambda: 200 in statuses)
            took = sorted(served_in(program, "/metrics") for _ in range(20))
            ended.set()
            for visitor in visitors:
                visitor.join()
    assert took[-1] < 4.0, "without a place of its own it waits for 5 s and is refused"
    assert set(statuses) <= {200, 503}


def test_fifty_hangups_are_two_reloads(api: str, tmp_path: Path) -> None:
    entries = [f"image-{n}" for n in range(1000)]
    config = write_config(tmp_path, api, {"name": "my-registry", "images": ["app", *entries]})
    with exporter(config, "--web.enable-lifecycle", "--web.max-requests=1") as program:
        wait_until(lambda: served_in(program, "/-/healthy") < SOON)
        for _ in range(50):
            program.process.send_signal(signal.SIGHUP)
            time.sleep(0.005)
        with ExitStack() as stack:
            for _ in range(10):
                waiting = stack.enter_context(connected(program))
                waiting.sendall(b"POST /-/reload HTTP/1.1\r\nhost: x\r\n\r\n")
            slowest = max(served_in(program, path) for path in ("/-/healthy", "/metrics"))
        program.wait_for_line("configuration reloaded")
        time.sleep(1.0)
        program.stop()
    reloads = sum("configuration reloaded" in line for line in program.log)
    assert 1 <= reloads <= 8, reloads
    assert slowest < SOON


@pytest.mark.parametrize("what", PRESSURE)
def test_what_is_said_of_pressure_has_a_test(what: str) -> None:
    module, _, name = PRESSURE[what].test.partition("::")
    tests = {"test_places.py": globals(), "test_hanging.py": vars(test_hanging)}
    assert name in tests[module]
