"""Basic authentication: who gets in, what a flood of wrong passwords costs, and that none shows."""

import asyncio
from base64 import b64encode
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncr_exporter.config import Secret
from ncr_exporter.httpd.access import Tls
from ncr_exporter.httpd.limits import Limits
from ncr_exporter.httpd.messages import Request, Response
from ncr_exporter.httpd.webconfig.basic_auth import Passwords, _RecentKeys, credentials
from tests.support.clock import settle
from tests.support.passwords import RIGHT, authorization, hash_of, hashes_counted
from tests.unit.httpd.test_connection import asking, echo, exchange, house, statuses

ALICE = {"alice": hash_of(RIGHT)}


class Guarded:
    """A policy with these users and nothing else."""

    tls: Tls | None = None

    def __init__(self, users: Mapping[str, str]) -> None:
        self.headers: Mapping[str, str] = {}
        self._users = {name: Secret(hashed) for name, hashed in users.items()}
        self._passwords = Passwords()

    async def refresh(self) -> None:
        """Nothing changes."""

    async def refusal(self, request: Request) -> Response | None:
        given = request.headers.get("authorization", "")
        return await self._passwords.refusal(self._users, given, request.client)


def login(user: str, password: str | bytes, path: str = "/") -> bytes:
    return asking("GET", path, f"authorization: {authorization(user, password)}")


async def status(port: int, request: bytes) -> int:
    (only,) = statuses(await exchange(port, request))
    return only


async def test_the_right_password_gets_in_and_no_other() -> None:
    async with house(echo, access=Guarded({**ALICE, "bob": hash_of("other")})) as it:
        for user, password, wanted in [
            ("alice", RIGHT, 200),
            ("bob", "other", 200),
            ("alice", "other", 401),
            ("alice", "", 401),
            ("bob", RIGHT, 401),
            ("Alice", RIGHT, 401),
            ("carol", RIGHT, 401),
            ("", "", 401),
        ] * 2:  # the second time from memory
            assert await status(it.port, login(user, password)) == wanted, (user, password)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Basic",
        "Basic ",
        "Basic !",
        "Basic =",
        "Basic YWxpY2U=",
        "Basic YWxpY2U6",
        "Basic /w==",
        "Basic \xe9",
        "Bearer YWxpY2U6eA==",
        "Digest username=alice",
        authorization("alice", RIGHT).removesuffix("="),
        authorization("alice", RIGHT).replace("Basic ", "Basic  "),
        authorization("alice", RIGHT) + ", " + authorization("alice", RIGHT),
        "Basic " + b64encode(b"\xff\xfe:x").decode(),
    ],
)
async def test_what_is_no_basic_authorization_is_401_with_the_way_to_ask(header: str) -> None:
    async with house(echo, access=Guarded(ALICE)) as it:
        request = asking("GET", "/", f"authorization: {header}") if header else asking("GET")
        answer = await exchange(it.port, request)
    assert statuses(answer) == [401]
    assert b"\r\nwww-authenticate: Basic\r\n" in answer


async def test_the_word_basic_may_be_written_in_any_case() -> None:
    async with house(echo, access=Guarded(ALICE)) as it:
        request = login("alice", RIGHT).replace(b"Basic", b"bAsIc")
        assert await status(it.port, request) == 200


@given(st.text() | st.binary().map(lambda data: "Basic " + b64encode(data).decode()))
def test_any_header_is_a_pair_or_nothing(header: str) -> None:
    pair = credentials(header)
    if pair is not None:
        assert credentials(authorization(*pair)) == pair


@pytest.mark.parametrize("password", ["pässwörd 비밀", "with:colon", "x" * 71, b"\0\xff"])
async def test_passwords_may_hold_anything(password: str | bytes) -> None:
    async with house(echo, access=Guarded({"alice": hash_of(password)})) as it:
        assert await status(it.port, login("alice", password)) == 200


async def test_what_is_behind_72_bytes_counts_for_nothing_as_in_go() -> None:
    async with house(echo, access=Guarded({"alice": hash_of("x" * 72)})) as it:
        assert await status(it.port, login("alice", "x" * 100)) == 200
        assert await status(it.port, login("alice", "x" * 71)) == 401


async def test_every_path_asks_for_a_password() -> None:
    async with house(echo, access=Guarded(ALICE)) as it:
        for path in ("/", "/metrics", "/-/healthy", "/-/ready", "/nowhere", "*"):
            assert await status(it.port, asking("OPTIONS", path)) == 401
            assert await status(it.port, login("alice", RIGHT, path)) == 200


async def test_each_password_is_hashed_once() -> None:
    access = Guarded(ALICE)
    with hashes_counted() as hashed:
        async with house(echo, access=access) as it:
            together = [exchange(it.port, login("alice", RIGHT)) for _ in range(20)]
            assert [statuses(a) for a in await asyncio.gather(*together)] == [[200]] * 20
            for password in ("wrong", "wrong", RIGHT, RIGHT):
                await exchange(it.port, login("alice", password))
    assert len(hashed) == 2


async def test_an_unknown_user_takes_as_long_as_a_known_one_and_costs_no_hash() -> None:
    """And the same each time: who could tell them apart had a list of users."""
    access = Guarded({"alice": hash_of(RIGHT, 11)})  # 0.15 s
    async with house(echo, access=access) as it:

        async def seconds(user: str, word: str) -> float:
            started = asyncio.get_running_loop().time()
            assert await status(it.port, login(user, word)) == 401
            return asyncio.get_running_loop().time() - started

        known = min([await seconds("alice", f"wrong {n}") for n in range(3)])
        with hashes_counted() as hashed:
            unknown = min([await seconds(f"user{n}", "wrong") for n in range(3)])
            again = await seconds("user0", "wrong")
        assert hashed == []
        assert known / 2 < unknown < known * 2
        assert again < known / 2, "as at once as the known user's known wrong one"
        assert await seconds("alice", "wrong 0") < known / 2


async def test_unknown_users_take_no_turn_of_a_known_one() -> None:
    async with house(echo, access=Guarded({"alice": hash_of(RIGHT, 10)})) as it:
        flood = [asyncio.create_task(exchange(it.port, login(f"u{n}", "x"))) for n in range(200)]
        await settle()
        started = asyncio.get_running_loop().time()
        assert await status(it.port, login("alice", RIGHT)) == 200
        assert asyncio.get_running_loop().time() - started < 1.5
        assert {statuses(answer)[0] for answer in await asyncio.gather(*flood)} == {401}


async def test_no_password_fits_an_unknown_user() -> None:
    async with house(echo, access=Guarded(ALICE)) as it:
        for password in ("", "fakepassword", RIGHT):
            assert await status(it.port, login("mallory", password)) == 401


async def test_a_flood_of_wrong_passwords_delays_nobody_whose_right_one_is_known() -> None:
    """Nor does it take their places, or push them out of memory."""
    async with house(echo, Limits(requests=1), access=Guarded(ALICE)) as it:
        assert await status(it.port, login("alice", RIGHT)) == 200
        with hashes_counted() as hashed:
            flood = [
                asyncio.create_task(exchange(it.port, login("alice", f"wrong {n}", "/flood")))
                for n in range(200)
            ]
            scrapes = []
            while not all(task.done() for task in flood):
                scrapes.append(await status(it.port, login("alice", RIGHT)))
                await settle()
            refused = [statuses(await task) for task in flood]
            assert set(scrapes) == {200}
            assert await status(it.port, login("alice", RIGHT)) == 200
    assert {status for (status,) in refused} <= {401, 503}
    assert len(hashed) == refused.count([401])


async def test_a_hash_in_work_stops_nothing_else() -> None:
    slow = {"slow": hash_of("x", 4).replace("$04$", "$13$")}  # half a second and more
    async with house(echo, Limits(requests=1), access=Guarded({**ALICE, **slow})) as it:
        assert await status(it.port, login("alice", RIGHT)) == 200
        waiting = asyncio.create_task(exchange(it.port, login("slow", "wrong")))
        await asyncio.sleep(0.05)
        for _ in range(5):
            assert await status(it.port, login("alice", RIGHT)) == 200
        assert not waiting.done()
        assert statuses(await waiting) == [401]


async def test_when_too_many_wait_one_of_them_is_told_to_come_again() -> None:
    slow = {"slow": hash_of("x", 4).replace("$04$", "$14$")}  # a second and more
    async with house(echo, access=Guarded(slow)) as it:
        waiting = [asyncio.create_task(exchange(it.port, login("slow", f"{n}"))) for n in range(34)]
        answers = [await next(asyncio.as_completed(waiting))]
        while statuses(answers[-1]) != [503]:
            waiting = [task for task in waiting if not task.done()]
            answers.append(await next(asyncio.as_completed(waiting)))
        assert b"\r\nretry-after: 2\r\n" in answers[-1]
        await it.server.stop()
        await asyncio.wait(waiting)


def test_what_is_remembered_is_bounded_and_the_oldest_goes_first() -> None:
    recent = _RecentKeys()
    for n in range(3000):
        recent.add(b"%d" % n)
        assert b"0" in recent  # used, and so stays
    assert len(recent._keys) == 1024
    assert b"1" not in recent
    assert b"2999" in recent


async def test_nothing_of_a_password_is_kept_in_the_clear() -> None:
    passwords = Passwords()
    users = {name: Secret(text) for name, text in ALICE.items()}
    given = authorization("alice", RIGHT)
    assert await passwords.refusal(users, given, "127.0.0.1") is None
    kept = repr(vars(passwords._right)) + repr(vars(passwords))
    assert RIGHT not in kept
    assert given not in repr(Request("GET", "/", {"authorization": given}))
