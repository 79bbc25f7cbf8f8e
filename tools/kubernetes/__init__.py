"""What a Kubernetes API server refuses although every schema takes it.

The rules are those of `pkg/apis/*/validation` in Kubernetes, as far as the manifests of deploy/
meet them. `mistakes` has an example of each; `make check-cluster` has a real API server judge the
same examples.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tools.kubernetes import kinds, pods
from tools.kubernetes.names import metadata_problems
from tools.kubernetes.together import problems_together

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tools.kubernetes.names import Object


def problems(found: Sequence[Object]) -> list[str]:
    """Return what an API server refuses, warns of or silently drops, one sentence each."""
    return [*_of_each(found), *_duplicates(found), *problems_together(found)]


def _of_each(found: Sequence[Object]) -> Iterator[str]:
    for each in found:
        name = f"{each['kind']} {each['metadata'].get('name')}"
        for problem in _of_one(each):
            yield f"{name}: {problem}"


def _of_one(each: Object) -> Iterator[str]:
    yield from metadata_problems(each["metadata"], each["kind"])
    yield from kinds.RULES.get(each["kind"], kinds.nothing)(each)
    if (spec := pods.pod_spec(each)) is not None:
        yield from pods.pod_problems(spec, pods.claimed(each))


def _duplicates(found: Sequence[Object]) -> Iterator[str]:
    count = Counter(
        (x["kind"], x["metadata"].get("namespace"), x["metadata"]["name"]) for x in found
    )
    for (kind, _, name), times in count.items():
        if times > 1:
            yield f"{kind} {name}: is there {times} times"
