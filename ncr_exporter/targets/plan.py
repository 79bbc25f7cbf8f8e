"""What a configuration sets in motion: accounts, registries, images and their requests. Pure."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ncr_exporter.config import Config
from ncr_exporter.config.globs import EVERY, is_glob
from ncr_exporter.config.units import duration_text
from ncr_exporter.targets.budget import Budget
from ncr_exporter.targets.targets import Account, ImageRule, RegistryListTarget, RegistryTarget

_FULL = 0.8
"""Of an account's limit: what the plan may need before somebody should look; retries need room."""


@dataclass(frozen=True)
class Plan:
    """Lines for people, and what they should know before they start."""

    lines: tuple[str, ...]
    warnings: tuple[str, ...]


def plan_of(
    config: Config, catalogs: Sequence[RegistryListTarget], sources: Mapping[Account, str]
) -> Plan:
    """Return the plan; `sources` names where each account's key comes from."""
    budget = Budget(config.api.requests_per_second)
    for catalog in catalogs:
        _plan(budget, catalog)
    lines: list[str] = []
    warnings: list[str] = []
    for account in dict.fromkeys(catalog.account for catalog in catalogs):
        own = [catalog for catalog in catalogs if catalog.account == account]
        lines += ["", f"account  {account.base_url(config.api)}, key from {sources[account]}"]
        for catalog in own:
            lines += _catalog_lines(catalog)
        lines += ["", f"  {_requests(budget, account, own)}"]
        warnings += _warnings(budget, account, own)
    return Plan(tuple(lines[1:]), tuple(warnings))


def _plan(budget: Budget, catalog: RegistryListTarget) -> None:
    """Count each list and each image that is named as one page; longer ones take more."""
    account = catalog.account
    budget.plan(catalog.key, account, catalog.timing.interval)
    for registry in catalog.named:
        budget.plan((registry.label,), account, registry.timing.interval)
        for image in registry.images():
            budget.plan(image.key, account, image.timing.interval)


def _catalog_lines(catalog: RegistryListTarget) -> Iterator[str]:
    every = [] if catalog.every is None else [catalog.every]
    for registry in (*every, *catalog.named):
        yield ""
        yield f"  {_registry(registry)}"
        width = max(len(rule.pattern) for rule in registry.rules)
        for rule in registry.rules:
            yield f"    {rule.pattern:{width}}  {_rule(rule)}"
        if registry.exclude:
            yield f"    without {', '.join(registry.exclude)}"


def _registry(registry: RegistryTarget) -> str:
    name, region = registry.path.name, registry.region
    if name == EVERY:
        return f'every registry in {region} that no other entry names ("*")'
    label = f", as {registry.label}" if registry.label != name else ""
    return f"registry {name}{label}, {region}"


def _rule(rule: ImageRule) -> str:
    found = "found when listing, " if is_glob(rule.pattern) else ""
    stale = duration_text(rule.policy.stale_after)
    return f"{found}every {duration_text(rule.timing.interval)}, stale after {stale}"


def _requests(budget: Budget, account: Hashable, catalogs: Sequence[RegistryListTarget]) -> str:
    more = " and for images found when listing" if _has_globs(catalogs) else ""
    rates = f"{_rate(budget.planned(account))} of {_rate(budget.limit)}"
    return f"requests {rates}; more for lists of several pages{more}"


def _warnings(
    budget: Budget, account: Hashable, catalogs: Sequence[RegistryListTarget]
) -> Iterator[str]:
    planned = budget.planned(account)
    if planned <= budget.limit * _FULL:
        return
    who = ", ".join(catalog.label for catalog in catalogs)
    needs = f"{who}: {_rate(planned)} needed at least, {_rate(budget.limit)} allowed"
    remedy = "poll less often (interval), or raise api.requests_per_second if your quota allows it"
    if planned > budget.limit:
        yield f"{needs}: intervals will be {budget.stretch(account):.2g} times as long; {remedy}"
    else:
        yield f"{needs}: little room for pages and retries; {remedy}"


def _has_globs(catalogs: Sequence[RegistryListTarget]) -> bool:
    registries = [registry for catalog in catalogs for registry in catalog.named]
    patterns = [rule.pattern for registry in registries for rule in registry.rules]
    return any(catalog.every for catalog in catalogs) or any(map(is_glob, patterns))


def _rate(per_second: float) -> str:
    return f"{float(f'{per_second:.2g}'):g}/s"
