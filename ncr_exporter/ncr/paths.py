"""The paths of the documented list operations."""

from dataclasses import dataclass
from urllib.parse import quote


@dataclass(frozen=True)
class RegistryPath:
    """A registry as the API addresses it; `label` is how metrics and logs call it."""

    label: str
    name: str
    prefix: str
    """The region's path prefix, such as `/ncr/api/v2`."""

    @property
    def image_list(self) -> str:
        """The path of the registry's image list."""
        return f"{registry_list(self.prefix)}/{quote(self.name, safe='')}"

    def tag_list(self, image: str) -> str:
        """Return the path of an image's tag list.

        Names are percent-encoded once, here: a `/` in the image's name becomes `%2F`.
        """
        return f"{self.image_list}/{quote(image, safe='')}/tags"


def registry_list(prefix: str) -> str:
    """Return the path of the list of all registries in a region."""
    return f"{prefix}/repositories"


def page_of(path: str, page: int, page_size: int) -> str:
    """Return path and query of one page, exactly as it is signed and sent; pages count from 1."""
    return f"{path}?page={page}&pagesize={page_size}"
