"""Rule tests as data: changed as another way of running changes them, and run by real tools."""

import json
import re
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any
from zlib import crc32

import yaml

from tests.support import rules

_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
_REPEATED = re.compile(r"(-?[\d.]+|stale|_)?(?:([+-][\d.]+))?(?:x(\d+))?")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}

Labels = dict[str, str]


@dataclass(frozen=True)
class Series:
    """A series that a rule test puts in; values are in promtool's notation."""

    name: str
    labels: Labels
    values: str

    @property
    def is_exporters(self) -> bool:
        """Whether it comes with the exporter's target, and not from the cluster."""
        return not self.name.startswith("kube_")

    def labelled(self, **more: str) -> "Series":
        """Return it with labels set; an empty value takes a label away."""
        labels = {name: value for name, value in {**self.labels, **more}.items() if value}
        return replace(self, labels=labels)

    def as_data(self) -> dict[str, str]:
        """Return it as promtool reads it."""
        pairs = ",".join(f'{name}="{value}"' for name, value in self.labels.items())
        return {"series": f"{self.name}{{{pairs}}}", "values": self.values}


@dataclass(frozen=True)
class Look:
    """What is expected of one alert at one moment: the labels of each that fires."""

    alert: str
    when: str
    firing: tuple[Labels, ...]


@dataclass(frozen=True)
class RuleTest:
    """One test of a rule test file, without annotations."""

    name: str
    evaluation_interval: str
    interval: str
    series: tuple[Series, ...]
    looks: tuple[Look, ...]

    @property
    def alerts(self) -> set[str]:
        """The alerts it looks at."""
        return {look.alert for look in self.looks}

    def as_data(self, rule_file: Path) -> dict[str, Any]:
        """Return a whole rule test file with this one test in it."""
        groups = json.loads(rule_file.read_text())["groups"]
        test = {
            "interval": self.interval,
            "input_series": [each.as_data() for each in self.series],
            "alert_rule_test": [
                {
                    "alertname": look.alert,
                    "eval_time": look.when,
                    "exp_alerts": [{"exp_labels": labels} for labels in look.firing],
                }
                for look in self.looks
            ],
        }
        return {
            "rule_files": [str(rule_file)],
            "evaluation_interval": self.evaluation_interval,
            "group_eval_order": [group["name"] for group in groups],
            "tests": [{"name": self.name, **test}],
        }


@cache
def read(path: Path) -> Sequence[RuleTest]:
    """Return the tests of a file that look at alerts; `0x60` is no hexadecimal number here."""
    content = yaml.load(path.read_text(), Loader=yaml.CBaseLoader)  # noqa: S506 -- text alone
    return [
        RuleTest(
            test["name"],
            content["evaluation_interval"],
            test["interval"],
            tuple(map(_series, test["input_series"])),
            tuple(_look(look) for look in test["alert_rule_test"]),
        )
        for test in content["tests"]
        if "alert_rule_test" in test
    ]


def _series(data: dict[str, str]) -> Series:
    name, _, labels = data["series"].partition("{")
    return Series(name, dict(_LABEL.findall(labels)), str(data["values"]))


def _look(data: dict[str, Any]) -> Look:
    firing = tuple(alert["exp_labels"] for alert in data["exp_alerts"] or [])
    return Look(data["alertname"], data["eval_time"], firing)


# Ways of running: each takes a series, or an alert that fires, and gives what it then is.
Way = Callable[[RuleTest], RuleTest]


def changed(
    test: RuleTest,
    series: Callable[[Series], Iterable[Series]],
    firing: Callable[[str, Labels], Iterable[Labels]] = lambda _, labels: [labels],
) -> RuleTest:
    """Return the test with each series, and each alert that fires, replaced by others."""
    looks = [
        replace(look, firing=tuple(new for old in look.firing for new in firing(look.alert, old)))
        for look in test.looks
    ]
    found = tuple(new for old in test.series for new in series(old))
    return replace(test, series=found, looks=tuple(looks))


def serve(test: RuleTest) -> RuleTest:
    """Scraped by Prometheus itself, which is how the tests are written."""
    return test


def textfile(test: RuleTest) -> RuleTest:
    """Scraped from node_exporter, which shows what `once` wrote: inventory, and nothing else."""

    def series(one: Series) -> Iterator[Series]:
        if not one.is_exporters:
            yield one
        elif not one.name.startswith(("ncr_api_", "ncr_exporter_")):
            yield one.labelled(job="node")

    return changed(test, series, lambda _, labels: [_with(labels, job="node")])


def shards(test: RuleTest) -> RuleTest:
    """Shared out over two exporters of one job, images by their names."""

    def series(one: Series) -> Iterator[Series]:
        if not one.is_exporters:
            yield one
            return
        both = range(2) if "image" not in one.labels else [crc32(one.labels["image"].encode()) % 2]
        for shard in both:
            yield one.labelled(instance=f"shard-{shard}-{one.labels['instance']}")

    return changed(test, series, lambda _, labels: _of_instances(labels, ("shard-0-", "shard-1-")))


def pair(test: RuleTest) -> RuleTest:
    """Watched by two exporters of one job, both of which see everything."""

    def series(one: Series) -> Iterator[Series]:
        yield one
        if one.is_exporters:
            yield one.labelled(instance=f"twin-{one.labels['instance']}")

    return changed(test, series, lambda _, labels: _of_instances(labels, ("", "twin-")))


def two_jobs(test: RuleTest) -> RuleTest:
    """Watched by the exporters of two jobs, both of which see everything."""

    def series(one: Series) -> Iterator[Series]:
        yield one
        if one.is_exporters:
            yield one.labelled(job=f"second-{one.labels['job']}")

    def firing(alert: str, labels: Labels) -> Iterator[Labels]:
        if alert == "NCRRunningTagGone":  # a tag is gone once, whoever says so
            yield _with(labels, job="", owner="")
            return
        yield labels
        if "job" in labels:
            yield {**labels, "job": f"second-{labels['job']}"}

    return changed(test, series, firing)


def remote_written(test: RuleTest) -> RuleTest:
    """Scraped by the operator elsewhere, and sent here without anything that is not ours.

    The operator's targets have labels of their own, one of which the exporter uses as well; `up`
    and `process_*` are often filtered out.
    """
    target = {"pod": "p", "container": "c", "service": "s", "endpoint": "http"}
    place = {"cluster": "far", "namespace": "ops"}

    def series(one: Series) -> Iterator[Series]:
        if not one.is_exporters:
            yield one.labelled(cluster=one.labels.get("cluster", "far"))
        elif one.name.startswith("ncr_"):
            renamed = one.labelled(exported_endpoint=one.labels.get("endpoint", ""))
            yield renamed.labelled(**target, **{**place, **_of(one.labels, place)})

    def firing(_: str, labels: Labels) -> Iterator[Labels]:
        yield {**place, **labels} if "job" in labels else labels

    return changed(test, series, firing)


def _with(labels: Labels, **more: str) -> Labels:
    return {name: value for name, value in {**labels, **more}.items() if value}


def _of(labels: Labels, names: Iterable[str]) -> Labels:
    return {name: labels[name] for name in names if name in labels}


def _of_instances(labels: Labels, prefixes: Sequence[str]) -> Iterator[Labels]:
    if "instance" not in labels:
        yield labels
        return
    for prefix in prefixes:
        yield {**labels, "instance": f"{prefix}{labels['instance']}"}


# What a test needs of the rules.


def rules_for(alerts: Iterable[str]) -> dict[str, Any]:
    """Return a rule file with these alerts, without annotations, and the records they stand on."""
    records = rules.records()
    wanted = set(alerts)
    waiting = [rules.alerts()[name]["expr"] for name in wanted]
    while waiting:
        new = (rules.names_in(waiting.pop()).metrics & records.keys()) - wanted
        wanted |= new
        waiting += [records[name] for name in new]
    groups = [
        {
            "name": group["name"],
            "rules": [
                {key: value for key, value in rule.items() if key != "annotations"}
                for rule in group["rules"]
                if rule.get("alert", rule.get("record")) in wanted
            ],
        }
        for group in rules.in_order(rules.groups())
    ]
    return {"groups": [group for group in groups if group["rules"]]}


def written(test: RuleTest, folder: Path) -> Path:
    """Write a test and its rules as JSON, which is YAML, and return the path of the test."""
    folder.mkdir(parents=True, exist_ok=True)
    rule_file = folder / "rules.yml"
    rule_file.write_text(json.dumps(rules_for(test.alerts)))
    path = folder / "test.yml"
    path.write_text(json.dumps(test.as_data(rule_file)))
    return path


def run(*words: str | Path, within: float = 120.0) -> str:
    """Run a tool that must find no fault, and return what it said."""
    done = subprocess.run(  # noqa: S603 -- fixed words, no shell
        words,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=within,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


# VictoriaMetrics keeps what a rule records for the next evaluation, not for the next rule, and
# looks back five minutes: so tests whose steps are longer are told in finer ones.
LONGEST = 290
"""Seconds between two evaluations at most: a record is not forgotten before the next."""


def refined(test: RuleTest) -> RuleTest:
    """Return the test with steps short enough for records to be seen by the next evaluation."""
    interval = seconds(test.interval)
    step = max(step for step in range(1, LONGEST + 1) if interval % step == 0)
    times = interval // step
    series = tuple(
        replace(one, values=" ".join(_repeated(list(values_of(one.values)), times)))
        for one in test.series
    )
    fine = f"{step}s"
    return replace(test, series=series, interval=fine, evaluation_interval=fine)


def seconds(duration: str) -> int:
    """Return the seconds of `1d2h`."""
    return sum(int(n) * _UNITS[unit] for n, unit in re.findall(r"(\d+)([smhd])", duration))


def values_of(notation: str) -> Iterator[str]:
    """Yield every value of a series in promtool's notation, `_` and `stale` among them."""
    for word in notation.split():
        found = _REPEATED.fullmatch(word)
        assert found, notation
        first, step, times = found[1] or "0", found[2], int(found[3] or 0)
        if first == "_":
            yield from ["_"] * max(times, 1)
        elif step:
            yield from (f"{float(first) + n * float(step):g}" for n in range(times + 1))
        else:
            yield from [first] * (times + 1)


def _repeated(values: Sequence[str], times: int) -> Iterator[str]:
    for value in values:
        yield value
        yield from ["_" if value == "stale" else value] * (times - 1)
