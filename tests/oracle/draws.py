"""What the contract's state machine draws: listings of tags, and configurations."""

from hypothesis import strategies as st

from ncr_exporter.inventory import Policy
from ncr_exporter.targets.targets import ImageRule, RegistryListTarget, RegistryTarget, Timing
from tests.oracle.computation import DAY_MS, RECORDED_SINCE_MS, Json, Rules
from tests.oracle.settings import EVERY, Settings, Wanted
from tests.support.states import NOW_MS, list_target_of, policy_with, registry_target

REGISTRIES = st.sampled_from(["one", "two"])
IMAGES = st.sampled_from(["a", "b", "x/c"])
INTERVAL = 900.0

# What the API holds

UPDATES = st.sampled_from([None, NOW_MS - 9 * DAY_MS, NOW_MS - 8 * DAY_MS])
"""`last_updated` of an image's record in the image list."""

IMAGE_PULLS = st.sampled_from([None, 0, NOW_MS - 9 * DAY_MS, NOW_MS - 8 * DAY_MS])
"""The last pull in that record in version 3; None where it is not sent, 0 for no pull."""

SIZES = st.sampled_from([None, 0, -1, 1, 1000, 2**53, 2**60])
MOMENTS = (
    st.sampled_from([None, 1, 10**16])
    | st.integers(NOW_MS - 60 * DAY_MS, NOW_MS)
    | st.integers(RECORDED_SINCE_MS - DAY_MS, RECORDED_SINCE_MS + DAY_MS)
)
PULLS = st.sampled_from([None, 0, 0, 10**16]) | st.integers(NOW_MS - 60 * DAY_MS, NOW_MS)
HEX = [f"{number:064x}" for number in range(1, 5)]
DIGESTS = st.sampled_from([None, *(f"sha256:{digits}" for digits in HEX)])
ATTACHED = [f"sha256-{HEX[0]}.sig", f"sha256-{HEX[1]}", f"sha256-{HEX[2]}.zip"]
"""Two that are attached to a digest, and one that only looks like it."""
PLATFORMS = st.fixed_dictionaries(
    {
        "architecture": st.sampled_from(["amd64", "arm64"]),
        "digest": DIGESTS,
        "latest_pulled": PULLS,
        "os": st.sampled_from(["linux", "linux", "unknown"]),
        "size": SIZES,
        "updated": MOMENTS,
        "variant": st.sampled_from([None, "v8"]),
    }
)


def _name(tag: Json) -> str:
    return str(tag["name"])


TAGS = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["latest", "v1", "v2", "v3", "v4", *ATTACHED, 'odd "\\ tag']),
        "digest": DIGESTS,
        "full_size": SIZES,
        "last_updated": MOMENTS,
        "images": st.lists(PLATFORMS, max_size=2),
    }
)
LISTINGS = st.lists(TAGS, max_size=6, unique_by=_name)


# What the configuration asks for

RULES = st.builds(
    Rules,
    stale_after_ms=st.sampled_from([float("inf"), 5.0 * DAY_MS, 30.0 * DAY_MS]),
    keep_recent=st.integers(0, 2),
    keep_tags=st.sampled_from([set(), {"latest"}]),
    tag_size_limit=st.sampled_from([None, 500]),
    tags_limit=st.sampled_from([None, 3]),
    tag_series=st.integers(0, 3),
    ignore_tags=st.sampled_from([frozenset(), frozenset({"v4"})]),
)
WANTED = st.builds(
    Wanted,
    rules=st.lists(
        st.tuples(st.sampled_from(["a", "b", "x/*", EVERY]), RULES),
        min_size=1,
        max_size=3,
        unique_by=lambda pair: pair[0],
    ).map(tuple),
    exclude=st.sampled_from([(), (), ("x/*",)]),
)
SETTINGS = st.builds(
    Settings,
    named=st.dictionaries(REGISTRIES, WANTED, max_size=2),
    every=st.none() | WANTED,
    interval=st.sampled_from([INTERVAL, 300.0]),
    expire_after=st.sampled_from([3 * INTERVAL, 10 * INTERVAL]),
    relist_after=st.sampled_from([None, 600.0, 4 * INTERVAL, 30 * INTERVAL]),
).filter(lambda settings: bool(settings.named or settings.every))


def list_target(settings: Settings) -> RegistryListTarget:
    """Return the same as the program has it."""
    timing = Timing(settings.interval, settings.expire_after, settings.relist_after)

    def target(name: str, wanted: Wanted) -> RegistryTarget:
        rules = tuple(
            ImageRule(pattern, timing, policy_of(rules)) for pattern, rules in wanted.rules
        )
        return registry_target(name, timing=timing, rules=rules, exclude=wanted.exclude)

    named = [target(name, wanted) for name, wanted in settings.named.items()]
    every = target(EVERY, settings.every) if settings.every else None
    return list_target_of(*named, every=every)


def policy_of(rules: Rules) -> Policy:
    return policy_with(
        stale_after=rules.stale_after_ms / 1000,
        keep_recent=rules.keep_recent,
        keep_tags=tuple(sorted(rules.keep_tags)),
        tag_size_limit=rules.tag_size_limit,
        tags_limit=rules.tags_limit,
        tag_series=rules.tag_series,
        ignore_tags=tuple(sorted(rules.ignore_tags)),
        platform_series=True,
    )
