"""What tests of polling share."""

from collections.abc import AsyncIterator

import pytest

from tests.support.polling import Polling, polling_of


@pytest.fixture
async def polling() -> AsyncIterator[Polling]:
    """Give a poller of the images `app` and `web`, that waits for its first targets."""
    async with polling_of() as it:
        yield it
