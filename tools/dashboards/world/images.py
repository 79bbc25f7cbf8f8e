"""Who is in a world: registries, images and their owners. All of it follows from a seed."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from random import Random

GB = 1e9
STALE_AFTER = 90.0
"""Days."""
KEEP_RECENT = 3
TAGS_LIMIT, TAG_SIZE_LIMIT = 300, 5 * GB


@dataclass(frozen=True)
class Registry:
    """One registry; those of one account are read with one key."""

    name: str
    account: int = 0
    public: bool = False
    scanned: bool = True
    relisted: bool = False
    """Whether relist_after is configured, so that some polls list no tags."""
    failing: bool = False
    """Whether its polls failed during the last hours."""
    mistyped: bool = False
    """Whether a glob of the configuration matches none of its images."""


@dataclass(frozen=True)
class Image:
    """One image at the end of the world's time. Sizes are bytes, times days before the end."""

    registry: Registry
    name: str
    owner: str
    """Empty: nobody's."""
    exporter: int
    """Which of the exporters polls it."""
    tags: int
    attached: int
    tag_size: float
    pushed: float
    pulled: float | None
    """None: never pulled."""
    pulls_known: bool
    stale: float
    """Share of the tags that are stale, of those that may be."""
    growth: float
    """Share of its tags that came within a week."""
    pulls_per_day: float
    overwritten: int | None
    """Overwritten tags within the week; None: immutable_tags is not configured."""
    failing: bool
    missing: bool = False
    """Configured by name, and does not exist."""

    @property
    def size(self) -> float:
        """Bytes: most of a tag is shared with the tag before it."""
        return self.tag_size * (1 + 0.35 * (self.tags - 1))

    @property
    def used(self) -> float:
        """Days since the last pull or push."""
        return self.pushed if self.pulled is None else min(self.pulled, self.pushed)

    @property
    def stale_tags(self) -> int:
        """Tags that are stale; keep_recent keeps the newest."""
        return round(self.stale * max(0, self.tags - self.attached - KEEP_RECENT))


@dataclass(frozen=True)
class Cast:
    """Registries and images of a world, and the exporters that poll them."""

    registries: Sequence[Registry]
    images: Sequence[Image]
    exporters: Sequence[str]


_SMALL = (
    ("demo-registry", "api", "결제팀", 210, 0.31, 0.2),
    ("demo-registry", "api-worker", "결제팀", 64, 0.28, 0.1),
    ("demo-registry", "web/frontend", "web", 48, 0.12, 0.0),
    ("demo-registry", "web/admin", "web", 22, 0.11, 12.0),
    ("demo-registry", "batch/settlement", "결제팀", 61, 0.45, 0.9),
    ("demo-registry", "ml/recommender", "R&D", 18, 6.2, 3.0),
    ("demo-registry", "ml/notebook-with-everything-that-anybody-asked-for", "R&D", 9, 4.8, 97.0),
    ("demo-registry", "legacy/report", "", 37, 0.52, 412.0),
    ("demo-base", "runtime", "platform", 26, 0.08, 0.0),
    ("demo-base", "ci/toolchain", "platform", 31, 1.9, 0.1),
    ("demo-base", "ci/old-toolchain", "platform", 14, 1.7, 230.0),
    ("demo-base", "debug-tools", "", 1, 0.2, 0.4),
)
"""Registry, image, owner, tags, a tag's GB, days since the last use."""


def small() -> Cast:
    """Return a team's two registries with twelve images."""
    registries = {
        "demo-registry": Registry("demo-registry"),
        "demo-base": Registry("demo-base", public=True, relisted=True, mistyped=True),
    }
    images = [_described(row, registries[row[0]]) for row in _SMALL]
    return Cast(list(registries.values()), images, ["ncr-exporter:10627"])


def _described(row: tuple[str, str, str, int, float, float], registry: Registry) -> Image:
    _, name, owner, tags, size, used = row
    is_old = used > STALE_AFTER
    return Image(
        registry=registry,
        name=name,
        owner=owner,
        exporter=0,
        tags=tags,
        attached=tags // 4 if name.startswith("web/") else 0,
        tag_size=size * GB,
        pushed=used + (used / 3 if is_old else 0.3),
        pulled=used,
        pulls_known=True,
        stale=1.0 if is_old else min(0.6, tags / 400),
        growth=0.0 if is_old else 0.08,
        pulls_per_day=0.0 if is_old else 12_000 / (tags + 20),
        overwritten={"api": 2, "runtime": 0}.get(name),
        failing=name == "ml/recommender",
    )


_AREAS = ("shop", "pay", "search", "media", "ads", "ml", "data", "infra", "game", "물류")
_STAGES = ("prod", "stage", "dev")
_TEAMS = (
    "결제팀",
    "검색플랫폼팀",
    "물류시스템팀",
    "R&D",
    "web",
    "mobile",
    "data-eng",
    "ads",
    "sre",
    "security",
)
_PARTS = (
    *("api", "worker", "gateway", "frontend", "admin", "batch", "scheduler", "cache", "proxy"),
    *("indexer", "trainer", "notifier", "exporter", "importer", "auth", "session", "report"),
    *("migrate", "cron", "mailer"),
)
_LONG = "customer-notification-preferences-aggregation-and-delivery-worker"


def large(seed: int = 1, images: int = 2000, tags: int = 67_000) -> Cast:
    """Return a company's thirty registries, on three accounts, polled by three exporters."""
    random = Random(seed)  # noqa: S311 -- nothing secret
    registries = [
        Registry(
            name=f"{area}-{stage}",
            account=place // 3 % 3 if stage == "dev" else 0,
            public=name_of_stage == "ml-dev",
            scanned=stage == "prod",
            relisted=stage != "prod",
            failing=name_of_stage in {"media-dev", "game-stage"},
            mistyped=area == "search",
        )
        for place, (area, stage) in enumerate(product(_AREAS, _STAGES))
        for name_of_stage in (f"{area}-{stage}",)
    ]
    weights = [random.lognormvariate(0, 1.1) for _ in range(images)]
    spare, total = tags - images, sum(weights)
    counts = [1 + int(weight / total * spare) for weight in weights]
    counts[0] += tags - sum(counts)
    found = [_drawn(random, registries, place, count) for place, count in enumerate(counts)]
    return Cast(registries, found, [f"ncr-exporter-{shard}:10627" for shard in range(3)])


def _drawn(random: Random, registries: Sequence[Registry], place: int, tags: int) -> Image:
    registry = registries[place % len(registries)]
    number = place // len(registries)
    owner = random.choice(_TEAMS) if _happens(random, 0.85) else ""
    used = random.choice(
        (0.0, 0.1, 0.5, 2.0, random.expovariate(1 / 60), random.expovariate(1 / 200))
    )
    is_old = used > STALE_AFTER
    never = _happens(random, 0.06)
    return Image(
        registry=registry,
        name=_name(random, number),
        owner=owner,
        exporter=random.randrange(3),
        tags=tags,
        attached=tags // 3 if _happens(random, 0.15) else 0,
        tag_size=random.lognormvariate(-1.6, 1.0) * GB,
        pushed=used * random.uniform(1, 2) + 0.2,
        pulled=None if never else used,
        pulls_known=not _happens(random, 0.03),
        stale=1.0 if is_old else random.betavariate(1, 3),
        growth=0.0 if is_old else random.uniform(0, 0.12),
        pulls_per_day=0.0 if is_old or never else random.lognormvariate(3, 1.6),
        overwritten=int(random.expovariate(2)) if _happens(random, 0.1) else None,
        failing=registry.failing or _happens(random, 0.004),
        missing=_happens(random, 0.002),
    )


def _happens(random: Random, probability: float) -> bool:
    return random.random() < probability


def _name(random: Random, number: int) -> str:
    if _happens(random, 0.03):
        return f"team-{number}/{_LONG}-{number}"
    return f"{random.choice(_PARTS)}/{random.choice(_PARTS)}-{number}"
