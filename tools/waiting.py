"""Waiting for what another process does; how long, and what is said when it does not come."""

import time
from collections.abc import Callable
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from typing import TypeVar
from urllib.parse import urlsplit

Value = TypeVar("Value")


def wait_until(
    fact: Callable[[], Value],
    within: float = 30.0,
    *,
    every: float = 0.05,
    seen: Callable[[], object] = str,
) -> Value:
    """Ask again and again, and return the first answer that is true.

    Args:
        fact: What to ask.
        within: Seconds after which to give up.
        every: Seconds between two questions.
        seen: Returns what explains a failure, a log for instance.

    Raises:
        TimeoutError: No answer was true in time; the message ends with what `seen` returns.
    """
    deadline = time.monotonic() + within
    while not (value := fact()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"still waiting after {within:g} s: {seen()}")
        time.sleep(every)
    return value


def answers(url: str) -> bool:
    """Return whether a server on this machine answers 200 at a URL (http)."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc, timeout=5)
    try:
        connection.request("GET", parts.path)
        answer = connection.getresponse()
        answer.read()  # a server logs an error where a client hangs up before the end
    except (OSError, HTTPException):
        return False
    else:
        return answer.status == HTTPStatus.OK
    finally:
        connection.close()
