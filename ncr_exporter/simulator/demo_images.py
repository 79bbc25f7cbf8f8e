"""The registries and images of the demo. Each image shows one thing that the exporter reports."""

from datetime import UTC, datetime, timedelta, timezone

from ncr_exporter.simulator.releases import DAY, HOUR, MINUTE, SimulatedImage

_KOREA = timezone(timedelta(hours=9))
_BOTH = ("linux/amd64", "linux/arm64/v8")
_MB = 1_000_000


def _semantic(number: int, _released: int) -> str:
    return f"{1 + number // 1000}.{number // 20 % 50}.{number % 20}"


def _minor(number: int, _released: int) -> str:
    return f"1.{number}.0"


def _dated(_number: int, released: int) -> str:
    return datetime.fromtimestamp(released / 1000, _KOREA).strftime("%Y%m%d")


def _ms(year: int, month: int) -> int:
    return int(datetime(year, month, 1, tzinfo=UTC).timestamp()) * 1000


REGISTRIES: dict[str, tuple[SimulatedImage, ...]] = {
    "demo-registry": (
        SimulatedImage(  # many tags, on several pages; clean-ups remove the oldest
            name="api",
            description="The API server, released every six hours",
            version=_semantic,
            size=84 * _MB,
            growth=2_500,
            every=6 * HOUR,
            keep=240,
            swept=20,
            live=4,
            unpulled=7,
            pulls_per_day=430,
        ),
        SimulatedImage(  # two platforms, attestations, several tags with one digest
            name="web/frontend",
            description="The shop window, for amd64 and arm64",
            version=_semantic,
            size=46 * _MB,
            every=2 * DAY,
            keep=60,
            platforms=_BOTH,
            attested=_BOTH,
            aliases=(("latest", 0), ("stable", 2)),
            pulls_per_day=270,
        ),
        SimulatedImage(  # the newest tag was never pulled, but is not stale yet
            name="batch/settlement",
            description="Built nightly; pulled when the next night's run starts",
            version=_dated,
            size=132 * _MB,
            every=DAY,
            phase=18 * HOUR,  # 03:00 in Korea
            keep=30,
            aliases=(),
            live=1,
            first_pull=DAY,
            pulls_per_day=1,
        ),
        SimulatedImage(  # every release is larger than the previous one, and signed
            name="ml/recommender",
            description="The recommendation service with its model inside",
            version=_minor,
            size=210 * _MB,
            growth=1_200_000,
            signed=True,
            every=7 * DAY,
            keep=30,
            live=2,
            pulls_every=HOUR,
            pulls_per_day=24,
        ),
        SimulatedImage(  # abandoned: no tag pulled for years, some never
            name="legacy/report",
            description="Replaced in 2021; kept in case somebody needs it",
            version=_minor,
            size=163 * _MB,
            every=30 * DAY,
            keep=16,
            unpulled=3,
            pulls_every=DAY,
            pulls_per_day=3,
            ended=_ms(2021, 6),
            retired=_ms(2021, 9),
        ),
    ),
    "demo-base": (
        SimulatedImage(  # incomplete records: see `api_records.QUIRKS`
            name="runtime",
            description="What the services are built on",
            version=_minor,
            size=58 * _MB,
            every=30 * DAY,
            keep=12,
            platforms=_BOTH,
            pulls_every=15 * MINUTE,
            pulls_per_day=96,
            relics=("0.1-import", "0.2-import", "0.3-import", "0.4-import"),
        ),
        SimulatedImage(  # large, and pulled by every build
            name="ci/toolchain",
            description="Compilers and test tools for the build machines",
            version=_minor,
            size=320 * _MB,
            every=14 * DAY,
            keep=20,
            live=2,
            pulls_every=5 * MINUTE,
            pulls_per_day=610,
        ),
    ),
}
"""Registry → its images, in the order of the image list."""
