"""Scraping: CPU of the server per scrape, against prometheus_client, node_exporter and a constant.

`python -m bench.scrape` compares at 1k, 10k, 100k and 500k series, identity and gzip; with `--wrk`
by Debian's wrk, which scrapes over four connections that it keeps, as fast as it gets answers.
"""

import argparse
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from prometheus_client import generate_latest

from bench.beside import beside
from bench.servers import collector, gauges
from tools.get_node_exporter import find_node_exporter, textfile_collector
from tools.processes import cpu_of, free_port, ready, resident_of

_FEWEST = 3


def serving(name: str, series: int) -> AbstractContextManager[tuple[int, int]]:
    """Give process id and port of a server."""
    of_series = f"--series={series}"
    if name == "node_exporter":
        return _node_exporter(of_series)
    return beside("servers", name, of_series)


@contextmanager
def _node_exporter(of_series: str) -> Iterator[tuple[int, int]]:
    with tempfile.TemporaryDirectory() as directory:
        file, port = Path(directory) / "ncr.prom", free_port()
        words = [sys.executable, "-m", "bench.servers", "text", of_series, f"--file={file}"]
        subprocess.run(words, check=True)  # noqa: S603 -- our own words
        address, log = f"127.0.0.1:{port}", file.with_suffix(".log")
        command = textfile_collector(address, file.parent)
        with ready(*command, at=f"http://{address}/metrics", log=log) as process:
            yield process.pid, port


def scraped(port: int, *, gzip: bool) -> int:
    """Scrape once, as Prometheus does, and return the bytes of the answer."""
    accept = "gzip" if gzip else "identity"
    request = (
        f"GET /metrics HTTP/1.1\r\nhost: x\r\naccept: text/plain\r\n"
        f"accept-encoding: {accept}\r\nconnection: close\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(request.encode())
        total = 0
        while part := connection.recv(2**20):
            total += len(part)
    return total


def cost(pid: int, port: int, seconds: float, *, gzip: bool) -> tuple[float, int]:
    """Return milliseconds of the server's CPU per scrape, and the bytes of an answer."""
    size = scraped(port, gzip=gzip)
    scraped(port, gzip=gzip)
    before, count, began = cpu_of(pid), 0, time.perf_counter()
    # At least a few scrapes, and as many as take the 10 ms that the system counts CPU in.
    while time.perf_counter() - began < seconds or count < _FEWEST or cpu_of(pid) == before:
        scraped(port, gzip=gzip)
        count += 1
    return (cpu_of(pid) - before) / count * 1000, size


def generated(series: int) -> dict[str, float]:
    """Return milliseconds that prometheus_client takes to make the text alone, without a server."""
    found = {}
    for name, made in (("Gauges", gauges(series)), ("collector", collector(series))):
        began = time.process_time()
        generate_latest(made)
        found[name] = (time.process_time() - began) * 1000
    return found


def by_wrk(port: int, *, gzip: bool) -> str:
    """Return what wrk says of the scrapes per second and of their latency."""
    accept = "gzip" if gzip else "identity"
    words = ["wrk", "-t1", "-c4", "-d5s", "--latency", "-H", f"Accept-Encoding: {accept}"]
    found = subprocess.run(  # noqa: S603 -- our own words
        [*words, f"http://127.0.0.1:{port}/metrics"], check=True, capture_output=True, text=True
    ).stdout
    patterns = (r"Requests/sec: *(\S+)", r"50% *(\S+)", r"99% *(\S+)")
    rate, median, late = (re.findall(pattern, found)[0] for pattern in patterns)
    return f"{rate:>8}/s, median {median:>8}, 99 % {late:>8}"


def compare_by_wrk(series: int, names: list[str]) -> None:
    """Print one table of scrapes per second."""
    sys.stdout.write(f"\n{series:,} series, by wrk\n")
    for name in names:
        with serving(name, series) as (_, port):
            for gzip in (False, True):
                kind = "gzip" if gzip else "identity"
                sys.stdout.write(f"  {name:14} {kind:8} {by_wrk(port, gzip=gzip)}\n")
                sys.stdout.flush()


def compare(series: int, names: list[str], seconds: float) -> None:
    """Print one table; each figure is that of some seconds of scraping."""
    sys.stdout.write(f"\n{series:,} series\n")
    alone = generated(series)
    for name, milliseconds in alone.items():
        sys.stdout.write(f"  generate_latest, {name:10} {milliseconds:9.2f} ms\n")
    for name in names:
        with serving(name, series) as (pid, port):
            plain, size = cost(pid, port, seconds, gzip=False)
            packed, packed_size = cost(pid, port, seconds, gzip=True)
            sys.stdout.write(
                f"  {name:14} identity {plain:9.2f} ms {size / 1e6:7.2f} MB, "
                f"gzip {packed:9.2f} ms {packed_size / 1e6:6.2f} MB, "
                f"{resident_of(pid):6.0f} MiB resident; generate_latest takes "
                f"{alone['Gauges'] / plain:6.1f} x and {alone['Gauges'] / packed:6.1f} x that\n"
            )
            sys.stdout.flush()


def main() -> None:
    """Compare, and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, nargs="*", default=[1000, 10_000, 100_000, 500_000])
    parser.add_argument("--seconds", type=float, default=3.0, help="of scraping, for each figure")
    parser.add_argument("--wrk", action="store_true", help="requests per second, by wrk")
    parser.add_argument("--only", nargs="*", help="servers to compare")
    given = parser.parse_args()
    names = ["ours", "constant", "gauges", "collector"]
    if find_node_exporter():
        names.append("node_exporter")
    for series in given.series:
        if given.wrk:
            compare_by_wrk(series, given.only or names)
        else:
            compare(series, given.only or names, given.seconds)


if __name__ == "__main__":
    main()
