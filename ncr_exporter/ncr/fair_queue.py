"""The order of waiting requests: by priority, and fair between registries."""

from collections import OrderedDict, deque
from enum import IntEnum
from typing import Generic, TypeVar

from ncr_exporter.ncr.paths import Operation

Item = TypeVar("Item")


class Priority(IntEnum):
    """What a request is for; the lower value goes first."""

    IMAGE_LIST = 0
    """An image or registry list: it says what exists, so it goes before all tag lists."""
    NEXT_PAGE = 1
    """A further page of a tag list: the sooner a listing ends, the less its pages shift."""
    TAG_LIST = 2
    """The first page of a tag list."""

    @classmethod
    def of(cls, operation: Operation) -> "Priority":
        """Return the priority of the first page of a list."""
        match operation:
            case "tag_list":
                return cls.TAG_LIST
            case "image_list" | "registry_list":
                return cls.IMAGE_LIST


class FairQueue(Generic[Item]):
    """Image lists first, then tag lists; of both, one request of each registry in rotation.

    Among a registry's tag lists, further pages go before first pages.
    """

    def __init__(self) -> None:
        self._lists: _Rotation[Item] = _Rotation()
        self._tags: _Rotation[Item] = _Rotation()

    def __bool__(self) -> bool:
        return bool(self._lists or self._tags)

    def __len__(self) -> int:
        return len(self._lists) + len(self._tags)

    def put(self, item: Item, registry: str, priority: Priority) -> None:
        """Add an item to the queue of its registry."""
        if priority is Priority.IMAGE_LIST:
            self._lists.put(item, registry, next_page=False)
        else:
            self._tags.put(item, registry, next_page=priority is Priority.NEXT_PAGE)

    def pop(self) -> Item:
        """Remove and return the next item.

        Raises:
            IndexError: the queue is empty.
        """
        return (self._lists or self._tags).pop()


class _Rotation(Generic[Item]):
    """One queue for each registry, popped in rotation."""

    def __init__(self) -> None:
        self._queues: OrderedDict[str, _RegistryQueue[Item]] = OrderedDict()

    def __len__(self) -> int:
        return sum(len(queue) for queue in self._queues.values())

    def __bool__(self) -> bool:
        return bool(self._queues)

    def put(self, item: Item, registry: str, *, next_page: bool) -> None:
        queue = self._queues.setdefault(registry, _RegistryQueue())
        (queue.next_pages if next_page else queue.first_pages).append(item)

    def pop(self) -> Item:
        if not self._queues:
            raise IndexError("the queue is empty")
        registry, queue = next(iter(self._queues.items()))
        item = (queue.next_pages or queue.first_pages).popleft()
        self._queues.move_to_end(registry)
        if not queue:
            del self._queues[registry]
        return item


class _RegistryQueue(Generic[Item]):
    def __init__(self) -> None:
        self.next_pages: deque[Item] = deque()
        self.first_pages: deque[Item] = deque()

    def __len__(self) -> int:
        return len(self.next_pages) + len(self.first_pages)
