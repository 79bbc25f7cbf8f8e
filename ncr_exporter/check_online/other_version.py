"""Asks version 3 of the API for one registry, and the version not configured for one image's tags.

The first shows whether the key may use version 3, and the envelope of its lists, which the vendor
does not document. The second is for the findings, where both versions stand side by side.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ncr_exporter.app.pipeline import Pipeline
from ncr_exporter.check_online.preflight import RegistryListResult
from ncr_exporter.ncr.client import Client
from ncr_exporter.ncr.errors import ApiError
from ncr_exporter.ncr.fair_queue import Priority
from ncr_exporter.ncr.transport import RequestLabels
from ncr_exporter.ncr.versions import V2, V3, Gateway, gateway_of
from ncr_exporter.state.model import Failure, ImageState
from ncr_exporter.targets.targets import Account, RegistryListTarget

_MOST_TAGS = 1000
"""Of the image whose tags are listed in both versions, so that it takes few requests."""


@dataclass(frozen=True)
class V3Result:
    """What an account got from version 3."""

    account: Account
    label: str
    """The label of the account's first registry list."""
    shape: str = ""
    """Where a page of the registry list has its items and totals; empty after a failure."""
    failure: Failure | None = None


async def ask_v3(
    pipeline: Pipeline, lists: Mapping[RegistryListTarget, RegistryListResult], language: str
) -> list[V3Result]:
    """Ask version 3 for one registry of each account that works, in its first region.

    Zones without a version 3 are not asked.
    """
    first: dict[Account, RegistryListTarget] = {}
    for target, listed in lists.items():
        if listed.account_works:
            first.setdefault(target.account, target)
    results = []
    for account, target in first.items():
        gateway = gateway_of(pipeline.config.api, account.zone, V3.name, language=language)
        if target.region in gateway.endpoints:
            results.append(await _registry_list(pipeline, target, gateway))
    return results


async def list_in_other_version(
    pipeline: Pipeline, results: Iterable[V3Result], language: str
) -> None:
    """List the tags of one image in the version that is not configured.

    The responses are observed like all others, so that both versions can be compared. It is an
    image of each account that may use version 3; it must have been polled before.
    """
    for result in results:
        if result.failure is None:
            await _list_image(pipeline, result.account, language)


async def _registry_list(
    pipeline: Pipeline, target: RegistryListTarget, gateway: Gateway
) -> V3Result:
    """Request one record of the registry list."""
    transport = pipeline.accounts.clients[target.account].transport
    path = gateway.list_path(target.region)
    request = transport.request(
        path.page(V3.paths.first_page, 1),
        RequestLabels(target.label, path.operation),
        Priority.of(path.operation),
        gateway.endpoints[target.region].base_url,
        gateway.headers,
    )
    try:
        async with request as body:
            shape = V3.wire.decode_raw(path.operation, body).shape
    except ApiError as error:
        failure = Failure(error.reason, str(error), error.remedy)
        return V3Result(target.account, target.label, failure=failure)
    return V3Result(target.account, target.label, shape)


async def _list_image(pipeline: Pipeline, account: Account, language: str) -> None:
    image = _most_telling(pipeline, account)
    if image is None:
        return
    api, configured = pipeline.config.api, pipeline.accounts.clients[account]
    other = V2 if configured.gateway.version is V3 else V3
    client = Client(
        configured.transport,
        gateway=gateway_of(api, account.zone, other.name, language=language),
        page_size=api.page_size,
        metrics=pipeline.exporter_metrics,
    )
    try:
        await client.tags(image.target.registry.path, image.target.name)
    except ApiError:
        return  # what it answered was observed


def _most_telling(pipeline: Pipeline, account: Account) -> ImageState | None:
    """Return the image with the most tags of several platforms, then the most tags; None if none.

    One with more than 1,000 tags would take many requests.
    """
    images = [
        state
        for state in pipeline.store.images.values()
        if state.target.registry.account == account and state.failure is None and state.tags
    ]
    return max(
        (state for state in images if len(state.tags or ()) <= _MOST_TAGS),
        key=lambda state: (
            sum(len(tag.platforms) > 1 for tag in state.tags or ()),
            len(state.tags or ()),
        ),
        default=None,
    )
