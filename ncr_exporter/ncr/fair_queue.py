"""Whose request goes next: a fair queue."""

from collections import OrderedDict, deque
from enum import IntEnum
from typing import Generic, TypeVar

from ncr_exporter.ncr.paths import Operation

Item = TypeVar("Item")


class Priority(IntEnum):
    """What a request is for; lower goes first."""

    IMAGE_LIST = 0
    """Tells what exists: before all tag lists of the account that wait."""
    NEXT_PAGE = 1
    """A listing that is begun: the sooner it ends, the less its pages shift."""
    TAG_LIST = 2
    """A listing that has not begun."""

    @classmethod
    def of(cls, operation: Operation) -> "Priority":
        """Return the priority of a list's first page."""
        return cls.TAG_LIST if operation == "tag_list" else cls.IMAGE_LIST


class FairQueue(Generic[Item]):
    """Image lists first; then one request per registry in turn, begun listings before new ones."""

    def __init__(self) -> None:
        self._lists: _Rotation[Item] = _Rotation()
        self._tags: _Rotation[Item] = _Rotation()

    def __len__(self) -> int:
        return len(self._lists) + len(self._tags)

    def put(self, item: Item, registry: str, priority: Priority) -> None:
        """Add an item that waits for its registry's turn."""
        if priority is Priority.IMAGE_LIST:
            self._lists.put(item, registry, ahead=False)
        else:
            self._tags.put(item, registry, ahead=priority is Priority.NEXT_PAGE)

    def pop(self) -> Item:
        """Return the next item.

        Raises:
            IndexError: nobody waits.
        """
        return (self._lists or self._tags).pop()


class _Rotation(Generic[Item]):
    """One line per registry; the heads are taken in rotation."""

    def __init__(self) -> None:
        self._lines: OrderedDict[str, _Line[Item]] = OrderedDict()

    def __len__(self) -> int:
        return sum(len(line) for line in self._lines.values())

    def __bool__(self) -> bool:
        return bool(self._lines)

    def put(self, item: Item, registry: str, *, ahead: bool) -> None:
        line = self._lines.setdefault(registry, _Line())
        (line.begun if ahead else line.new).append(item)

    def pop(self) -> Item:
        if not self._lines:
            raise IndexError("nobody waits")
        registry, line = next(iter(self._lines.items()))
        item = (line.begun or line.new).popleft()
        self._lines.move_to_end(registry)
        if not line:
            del self._lines[registry]
        return item


class _Line(Generic[Item]):
    def __init__(self) -> None:
        self.begun: deque[Item] = deque()
        self.new: deque[Item] = deque()

    def __len__(self) -> int:
        return len(self.begun) + len(self.new)
