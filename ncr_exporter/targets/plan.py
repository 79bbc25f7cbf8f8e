"""What `check` prints of a valid configuration: what will be polled, and its requests. Pure."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ncr_exporter.config import Config
from ncr_exporter.config.globs import EVERY, is_glob
from ncr_exporter.config.units import duration_text
from ncr_exporter.config.zones import V3, V3_LARGEST_PAGE
from ncr_exporter.ncr.versions import gateway_of
from ncr_exporter.targets.budget import Budget
from ncr_exporter.targets.targets import Account, ImageRule, RegistryListTarget, RegistryTarget

_NEARLY_FULL = 0.8
"""Share of an account's limit above which `check` warns: retries and long lists need the rest."""

_HOUR = 3600
"""Seconds."""
_WHOLE = 10
"""From here on, numbers are told without decimals."""


@dataclass(frozen=True)
class Plan:
    """The plan of a configuration, as text."""

    lines: tuple[str, ...]
    warnings: tuple[str, ...]
    """Accounts whose plan nearly fills or exceeds their limit, and what `api` may not get."""


def plan_of(
    config: Config, registry_lists: Sequence[RegistryListTarget], sources: Mapping[Account, str]
) -> Plan:
    """Return the plan of a configuration whose registry lists are `registry_lists`.

    `sources` says where each account's API key comes from.
    """
    budget, most = Budget(config.api.requests_per_second), Budget(config.api.requests_per_second)
    for registry_list in registry_lists:
        _plan(budget, most, registry_list)
    lines: list[str] = []
    warnings: list[str] = []
    for account in dict.fromkeys(registry_list.account for registry_list in registry_lists):
        of_account = [each for each in registry_lists if each.account == account]
        lines += ["", f"account  {_hosts(config, of_account)}, key from {sources[account]}"]
        for registry_list in of_account:
            lines += _registry_list_lines(registry_list)
        lines += ["", *_requests(budget, most, account, of_account)]
        warnings += _warnings(budget, account, of_account)
    return Plan(tuple(lines[1:]), (*warnings, *_api_warnings(config, registry_lists)))


def _api_warnings(config: Config, registry_lists: Sequence[RegistryListTarget]) -> Iterator[str]:
    """Yield what the section `api` asks for and the API may not give."""
    api = config.api
    if api.page_size > V3_LARGEST_PAGE:
        known = f"version 3 allows {V3_LARGEST_PAGE:,}, and version 2 states no limit"
        yield f"api.page_size: {api.page_size:,} may be more than a page can hold; {known}"
    regions = list(dict.fromkeys(each.region for each in registry_lists))
    if api.version == V3 and api.base_url is not None and len(regions) > 1:
        yield (
            f"api.base_url: it stands in for the host of every region, and {', '.join(regions)} "
            "differ in nothing else; each would list the same registries"
        )


def _hosts(config: Config, of_account: Sequence[RegistryListTarget]) -> str:
    """Return the gateways that an account's requests go to."""
    zone = of_account[0].account.zone
    endpoints = gateway_of(config.api, zone).endpoints
    return ", ".join(dict.fromkeys(endpoints[each.region].base_url for each in of_account))


def _plan(least: Budget, most: Budget, registry_list: RegistryListTarget) -> None:
    """Count one request for each list and each named image; how many pages they have is unknown.

    `least` is needed where nothing changes, `most` where everything does.
    """
    account = registry_list.account
    for budget in (least, most):
        budget.plan(registry_list.key, account, registry_list.timing.interval)
        for registry in registry_list.named:
            budget.plan((registry.label,), account, registry.timing.interval)
    for image in (image for registry in registry_list.named for image in registry.images()):
        least.plan(image.key, account, image.timing.longest)
        most.plan(image.key, account, image.timing.interval)


def _registry_list_lines(registry_list: RegistryListTarget) -> Iterator[str]:
    every = [] if registry_list.every is None else [registry_list.every]
    for registry in (*every, *registry_list.named):
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
    stale, relist_after = duration_text(rule.policy.stale_after), rule.timing.relist_after
    tags = f", unchanged tags every {duration_text(relist_after)}" if relist_after else ""
    return f"{found}every {duration_text(rule.timing.interval)}{tags}, stale after {stale}"


def _requests(
    budget: Budget, most: Budget, account: Hashable, registry_lists: Sequence[RegistryListTarget]
) -> Iterator[str]:
    planned, limit, unit = _rates(budget.planned(account), budget.limit)
    at_most, _, unit_of_most = _rates(most.planned(account), most.limit)
    if (planned, unit) == (at_most, unit_of_most):
        yield f"  requests {unit}: {planned} of {limit} allowed"
    else:
        yield f"  requests {unit}: {planned} of {limit} allowed, if nothing changes"
        yield f"  requests {unit_of_most}: at most {at_most}"
    more = ", and for images found when listing" if _has_globs(registry_lists) else ""
    yield f"  more for lists of several pages{more}"


def _warnings(
    budget: Budget, account: Hashable, registry_lists: Sequence[RegistryListTarget]
) -> Iterator[str]:
    planned = budget.planned(account)
    if planned <= budget.limit * _NEARLY_FULL:
        return
    labels = ", ".join(registry_list.label for registry_list in registry_lists)
    needed, limit, unit = _rates(planned, budget.limit)
    needs = f"{labels}: {needed} requests {unit} needed at least, {limit} allowed"
    remedy = "poll less often (interval), or raise api.requests_per_second if your quota allows it"
    if planned > budget.limit:
        yield f"{needs}: intervals will be {budget.stretch(account):.2g} times as long; {remedy}"
    else:
        yield f"{needs}: little room for pages and retries; {remedy}"


def _has_globs(registry_lists: Sequence[RegistryListTarget]) -> bool:
    registries = [registry for each in registry_lists for registry in each.named]
    patterns = [rule.pattern for registry in registries for rule in registry.rules]
    return any(each.every for each in registry_lists) or any(map(is_glob, patterns))


def _rates(planned: float, limit: float) -> tuple[str, str, str]:
    """Return two rates (1/s) in the unit that makes the first a number people understand."""
    factor, unit = (1, "a second") if planned >= 1 else (_HOUR, "an hour")
    return _number(planned * factor), _number(limit * factor), unit


def _number(amount: float) -> str:
    return f"{amount:,.0f}" if amount >= _WHOLE else f"{amount:.2g}"
