"""Writes the documents that follow from the code, so that they cannot drift: `make docs`."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ncr_exporter.cli.flags import Flag
from ncr_exporter.cli.main import COMMANDS, command_named
from ncr_exporter.config.model import Api, CredentialsConfig, RegistryConfig, Settings, options_of
from ncr_exporter.config.schema import json_schema
from ncr_exporter.config.types import ListOf, ValueType
from ncr_exporter.metrics.families import SECTIONS
from ncr_exporter.metrics.families.exporter import BUCKETS, REASONS
from ncr_exporter.metrics.families.family import Family
from ncr_exporter.ncr.paths import OPERATIONS
from ncr_exporter.simulator.faults import FAULTS, Fault
from tools import chart_values
from tools.dependencies import Distribution, distributions
from tools.fault_table import CLOCKS, NETWORK, PRESSURE, TABLE
from tools.process_table import PROCESS, SIGNALS, VARIABLES
from tools.storage_table import STORAGE, TASKS, Outcome

ROOT = Path(__file__).parents[1]
MEASURED = ROOT / "tests" / "soak" / "measured.md"
"""The report of a soak, as it was written."""
WRITTEN = "Written by `make docs`; do not edit."

METRICS_INTRO = """\
Everything the exporter publishes, from the table that it is rendered from. Besides these there are
`process_*` and `python_*` as every Python program has them. All are gauges unless said.

- Values about images and tags are **as of the last successful poll**. A failed or partial listing
  changes none of them. Then `ncr_image_up` is 0, and `ncr_image_last_success_timestamp_seconds`
  tells their age. Data older than `expire_after` leaves; `ncr_image_up` stays.
- **Unknown is absent, never 0.** That `latest_pulled: 0` means *never* is inferred. It is believed
  only where some record of the same registry has a pull time. A missing or null time, or a tag
  without platforms, is *unknown*: neither never pulled nor stale. Where nothing is known for a
  whole image, its never-pulled, stale and reclaimable series are absent, and the log says so once.
- **Stale is not unused, and bytes are an upper bound.** Nodes keep copies of images and start them
  without asking the registry. Manifests share layers, and the API does not tell which. Before you
  delete, read [what to check](deleting.md), and ask your clusters by
  [joins with kube-state-metrics](joins.md).
- Sizes of images and sizes of tags are different things: do not compare or add them.
- `STABLE` names, labels and meanings change only with a major version, and stay beside their
  successor for one minor version at least. `EXPERIMENTAL` ones may change with any.

## Last use

A tag is stale when its last use is longer ago than `stale_after`. Its last use is the later of its
last update and its last pull. Neither is always known, so each tag has two bounds: the earliest and
the latest moment that its last use may have been. It is stale where even the latest is too old, and
alive where even the earliest is not. Between the two it is unknown.

1. **By content.** `1.4.2` and `stable` name one manifest. A node pulled `stable` yesterday. So
   `1.4.2` was used yesterday, whatever its own record says, and neither is stale.
2. **Just pushed.** `latest` was pushed a minute ago, and nothing is known of pulls. It was used a
   minute ago or later: alive.
3. **Before pulls were recorded.** The registry records pull times since 2023-11-23. An image last
   updated in 2022 has 500 pulls and no pull time. So they were before that day: it is stale.
   Where the counter and the records disagree about the time since, it is unknown.

Attached tags are signatures, attestations and SBOMs, named after a digest. They live as long as a
tag with that digest, and are stale with the last of them. `ncr-exporter once --tags` says of each
tag whether it is stale, and why: see [reports](reports.md#what-could-go-and-why-not-the-rest).
"""

CONFIGURATION_INTRO = """\
The configuration is one YAML file. An unknown key, a wrong type, an empty secret or a
contradiction is refused, with its line, its place and what would be right. `ncr-exporter check`
shows all of them at once, unusable API keys included.

- `${VAR}` in a value is replaced by the environment's variable, which must be set; `$$` is a dollar
  sign. Within `[ ]` and `{ }` it must be in quotes.
- A key without a value counts as left out.
- Durations are written as Prometheus does (`90d`, `1h30m`), sizes with SI or IEC units (`1GB`,
  `500MiB`).
- In globs `*` matches any characters, `/` included. Case matters.
- Relative paths start at the file's own directory.
- What cannot be a name is refused: a reference with a host, tag or digest, a URL, blanks, quotes.
  The vendor publishes rules for names since version 3 of the API. Names that break them are warned
  about, and polled.
- Without a file an API key is enough, in the environment or in `~/.ncloud/configure`.
  `NCR_EXPORTER_REGISTRIES` then names registries, separated by commas, and `NCR_EXPORTER_REGION`
  their region. Without these variables every registry of the account in `kr` is polled.
- `--config.file=-` reads stdin. A reload is refused then: stdin cannot be read again.
- Editors that know JSON Schema complete the file. For that it begins with
  `# yaml-language-server: $schema=` and the path of `schema.json`, which is in
  `ncr_exporter/config/` of the package.
"""

CLI_INTRO = """\
Each flag has a twin in the environment; the flag wins. Logs go to stderr. Secrets are accepted on
no command line. Exit codes: 0 clean stop, 1 failure, 2 wrong usage or configuration.

A variable that begins with `NCR_EXPORTER_` and is not read is warned about. Without a configuration
file `NCR_EXPORTER_REGISTRIES` and `NCR_EXPORTER_REGION` say what to poll: see
[configuration](configuration.md).
"""

CLI_SIGNALS = """\
## Signals

They are noted from the program's first act, before it imports anything, and acted on as soon as
that can be. What comes before is Python's own start, some 20 ms: there a SIGHUP ends the process.
Where even that matters, start it by `env --block-signal=HUP,TERM`: the program unblocks them.
"""

CLI_ENVIRONMENT = """\
## Environment

Besides the flags' twins these variables matter, or would matter to a library:
"""

FAULTS_INTRO = """\
What the simulated registry can do wrong, for trying alerts and for tests:
`ncr-exporter demo --fault=NAME`. With `--fault-after=30s` the fault begins later, so that you see
what stays of the good data. A fault lasts until the demo is stopped. Only `rotated-key` ends: 20 s
later the new key is in the demo's `secret_key_file`. [Reliability](reliability.md) says what the
exporter makes of each.
"""


RELIABILITY_INTRO = """\
What is seen of each fault that the simulated registry knows, when every answer meets it. The column
`up` is `ncr_image_up` of an image that was polled before. While it is 0, the last good values stay
and `ncr_image_last_success_timestamp_seconds` tells their age. The log says once what fails, where,
why and what to do. The first good answer heals it. A failed image is asked again after
a fifth, then after two fifths of its interval, and then once an interval. A throttled one waits for
the end of its account's pause.

Each row is tried through the whole program, over sockets, by
`tests/e2e/test_faults.py::test_a_fault_shows_as_it_should_and_the_first_good_answer_heals_it[FAULT]`.
To see one at work, run `ncr-exporter demo --fault=FAULT`. `tests/e2e/test_faults_memory.py`
measures memory under the large ones.
"""

ENDURANCE = """\
## An hour of bad days in minutes

`make soak` runs the real program, which polls every second, against a registry that meets the
faults above in turn while images are born and deleted. Every third second the configuration is
reloaded, by SIGHUP or `POST /-/reload`. Sometimes it is a broken one, and registries come and go
by it. Meanwhile others ask: scrapers in either format, people, probes, and clients that hang up,
dawdle or never read. All of this has to hold:

- Every scrape parses. No series is there twice, and no family lacks HELP or TYPE.
- No counter falls while what it counts goes on. No value is impossible. Nothing is said of an image
  that five whole lists lacked.
- No answer is 5xx, except that to a broken reload. Once ready, `/-/ready` stays ready. No secret is
  shown. The log has neither errors nor tracebacks.
- At the end, all faults over, what is published is what is there.
- Nothing grows: of each resource the lowest values of the second half must not rise by more than is
  allowed. In ten minutes that half is 300 polls of each image, as many as in 75 hours by default.

The last run on record, on two cores that also did other work:
"""


RELIABILITY_PRESSURE = """\
## Under pressure

Scrapes and probes come before everybody else, and nothing that hangs outside the program holds
them up. Tried through the whole program, over sockets, by these tests of `tests/e2e/`. What each
client may cost: [web configuration](web-config.md#what-clients-may-cost).
"""


RELIABILITY_NETWORK = """\
## Between exporter and API

What hosts, networks and the service do besides, each tried over sockets.
"""


RELIABILITY_CLOCKS = """\
## Clocks

How long something lasts, and when it is due, goes by time that passes (monotonic). When it was, and
how old it is, goes by the wall clock of the exporter's host. Where that differs from the clocks of
all gateways by more than a minute, it goes by theirs. `tests/e2e/test_clock.py` tries each row.
"""

RELIABILITY_PROCESS = """\
## The process and its host

What hosts do to a process, each tried on the program in a process of its own. Tests are below
`tests/`.
"""
RELIABILITY_STORAGE = """\
## Storage

With `--storage.path` the state is written about once a minute, less often where that would take
more than a hundredth of one core, and at the end. It is a file of this program's own: with its tags
packed as they are in memory, with a checksum, readable by its owner alone.
"""
RELIABILITY_TASKS = """\
## What nobody foresaw

A bug in what runs in the background must neither end it nor stay unseen. The log has one line with
the traceback, and the work goes on.
"""


DEPENDENCIES_INTRO = """\
Everything that is installed with the program: at most 20 distributions. Each is pinned in
`requirements/runtime.txt`, with the hashes of its files, for every supported Python. The image and
the tests install exactly these. What pyproject.toml asks for has our reason. What that brings in
turn has its authors' own summary.
"""


def metrics_page() -> str:
    """Return docs/metrics.md."""
    groups = (
        f"## {title}\n\n{_table(('metric', 'labels', 'value'), map(_metric, families))}"
        for title, families in SECTIONS.items()
    )
    values = (
        f"`operation` is {_words(OPERATIONS)}. `reason` is {_words(REASONS)}. The buckets of the "
        f"duration are {', '.join(map(str, BUCKETS))} seconds."
    )
    return _page("Metrics", METRICS_INTRO, *groups, values)


def _metric(family: Family) -> tuple[str, str, str]:
    kind = "" if family.type == "gauge" else f"{family.type.capitalize()}. "
    experimental = "" if family.stability == "STABLE" else "**Experimental.** "
    labels = ", ".join(f"`{label}`" for label in family.labels)
    return f"`{family.name}`", labels, f"{experimental}{kind}{family.help}"


def configuration_page() -> str:
    """Return docs/configuration.md."""
    sections: dict[str, tuple[str, type[Any]]] = {
        "`api`": ("How the API is reached, per account and zone.", Api),
        "`credentials`": (
            "The API key. Omitted: the environment, then `~/.ncloud/configure`.",
            CredentialsConfig,
        ),
        "`defaults`": (
            "For every image; each may be set for a registry or an image too.",
            Settings,
        ),
        "`registries[]`": (
            "What to poll: a name, or a mapping. Every key of `defaults` may be set here too.",
            RegistryConfig,
        ),
    }
    texts = [
        f"## {title}\n\n{text}\n\n{_table(('key', 'value', 'default', ''), _options(model))}"
        for title, (text, model) in sections.items()
    ]
    images = (
        "## `registries[].images[]`\n\nA name or a glob, or a mapping with `name` and any key of "
        "`defaults`. The first entry that matches an image decides."
    )
    return _page("Configuration", CONFIGURATION_INTRO, *texts, images)


def _options(model: type[Any]) -> Iterator[tuple[str, str, str, str]]:
    hidden = set(options_of(Settings)) if model is RegistryConfig else set()
    for name, option in options_of(model).items():
        if name in hidden:
            continue
        value_type = option.metadata["type"]
        default = "" if option.metadata["required"] else _default(value_type, option.default)
        yield f"`{name}`", _type_words(value_type), default, option.metadata["help"]


def _type_words(value_type: Any) -> str:  # noqa: ANN401 -- a ValueType, a ListOf or a dataclass of options
    if isinstance(value_type, ValueType):
        return value_type.words
    if isinstance(value_type, ListOf):
        return f"a list, each {_type_words(value_type.item)}"
    return "see below" if value_type is not CredentialsConfig else "as `credentials`"


def _default(value_type: Any, value: Any) -> str:  # noqa: ANN401 -- as above, and a value of that type
    if value is None:
        return ""
    shown = value_type.show(value) if isinstance(value_type, ValueType) else json.dumps(value)
    return f"`{shown}`" if shown and shown != "null" else ""


def cli_page() -> str:
    """Return docs/cli.md."""
    commands = (
        f"## `ncr-exporter {name}`\n\n{command.summary}"
        f"{' The default command.' if name == 'serve' else ''}\n\n"
        + _table(("flag", "environment", "default", ""), map(_flag, command.flags))
        for name, command in ((name, command_named(name)) for name in COMMANDS)
    )
    signals = _table(
        ("signal", "`serve`, `demo`", "other commands"),
        ((names, *words) for names, words in SIGNALS.items()),
    )
    variables = _table(
        ("variable", "read by", "what it does"),
        ((_words(names.split(", ")), *words) for names, words in VARIABLES.items()),
    )
    return _page(
        "Command line", CLI_INTRO, *commands, CLI_SIGNALS, signals, CLI_ENVIRONMENT, variables
    )


def _flag(flag: Flag) -> tuple[str, str, str, str]:
    repeatable = "; may be repeated" if flag.repeatable else ""
    default = f"`{flag.default}`" if flag.default else ""
    return f"`{flag.name}`", f"`{flag.env_var}`", default, f"{flag.help}{repeatable}"


def faults_page() -> str:
    """Return docs/faults.md."""
    rows = ((f"`{fault.name}`", fault.help) for fault in FAULTS.values())
    return _page("Faults", FAULTS_INTRO, _table(("name", "what happens"), rows))


def dependencies_page() -> str:
    """Return docs/dependencies.md."""
    rows = map(_dependency, distributions())
    return _page("Dependencies", DEPENDENCIES_INTRO, _table(("distribution", "why", "for"), rows))


def _dependency(each: Distribution) -> tuple[str, str, str]:
    return f"`{each.name}`", each.why.replace("*", r"\*"), ", ".join(each.brought_by)


def reliability_page() -> str:
    """Return docs/reliability.md."""
    header = ("fault", "what happens", "up", "counted as", "what users see")
    faults = _table(header, map(_seen, FAULTS.values()))
    clocks = _table(
        ("clock", "what users see", "test"),
        ((what, words, f"`{test}`") for what, (words, test) in CLOCKS.items()),
    )
    network = _table(
        ("what happens", "what users see", "test"),
        ((what, words, f"`{test}`") for what, (words, test) in NETWORK.items()),
    )
    soaked = MEASURED.read_text("utf-8")
    pressure = _table(
        ("what presses", "what users see", "test"),
        ((what, words, f"`{test}`") for what, (words, test) in PRESSURE.items()),
    )
    process = _table(
        ("what happens", "what users see", "test"),
        ((what, words, f"`{test}`") for what, (words, test) in PROCESS.items()),
    )
    parts = (
        *(RELIABILITY_INTRO, faults, RELIABILITY_NETWORK, network),
        *(RELIABILITY_PRESSURE, pressure, RELIABILITY_PROCESS, process),
        *(RELIABILITY_STORAGE, _outcomes("what happens", STORAGE)),
        *(RELIABILITY_TASKS, _outcomes("what raises it", TASKS)),
        *(RELIABILITY_CLOCKS, clocks, ENDURANCE, soaked),
    )
    return _page("Reliability", *parts)


def _outcomes(title: str, outcomes: Mapping[str, Outcome]) -> str:
    rows = ((what, words, f"`{test}`") for what, (words, test) in outcomes.items())
    return _table((title, "what users see", "test"), rows)


def _seen(fault: Fault) -> tuple[str, ...]:
    seen = TABLE[fault.name]
    counted = seen.fails or seen.retried or seen.counter
    up = "0" if seen.fails else "1"
    return f"`{fault.name}`", fault.help, up, f"`{counted}`" if counted else "", seen.words


def schema_file() -> str:
    """Return the JSON Schema of the configuration file; validators ignore its `$comment`."""
    return json.dumps({"$comment": WRITTEN, **json_schema()}, indent=1, ensure_ascii=False) + "\n"


def _page(title: str, *parts: str) -> str:
    note = f"<!-- {WRITTEN} -->"
    return "\n\n".join([f"# {title}", note, *(part.strip() for part in parts)]) + "\n"


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    rule = tuple("---" for _ in header)
    return "\n".join(f"| {' | '.join(map(_cell, row))} |" for row in (header, rule, *rows))


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


def _words(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


DOCUMENTS: dict[str, Callable[[], str]] = {
    "docs/metrics.md": metrics_page,
    "docs/configuration.md": configuration_page,
    "docs/cli.md": cli_page,
    "docs/faults.md": faults_page,
    "docs/dependencies.md": dependencies_page,
    "docs/reliability.md": reliability_page,
    "ncr_exporter/config/schema.json": schema_file,
    "deploy/helm/ncr-exporter/README.md": chart_values.readme,
    "deploy/helm/ncr-exporter/values.schema.json": chart_values.schema,
}
"""Path → what the file must hold."""


def main() -> None:
    """Write every document that is not as it must be."""
    for name, text in DOCUMENTS.items():
        path = ROOT / name
        if not path.exists() or path.read_text(encoding="utf-8") != text():
            path.write_text(text(), encoding="utf-8")
            sys.stdout.write(f"wrote {name}\n")


if __name__ == "__main__":
    main()
