"""What stands between the network and the routes: names, pages, sizes, rates, headers; and that nothing is changed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from streams.settings import Settings
from streams.web.api import create_api
from streams.web.asgi import Asgi
from streams.web.bounds import AT_ONCE, BODY, GUESSES, TARGET, FewAtOnce, FewGuesses, NotTooOften
from streams.web.doors import behind
from streams.web.rates import Rates, client_of
from streams.web.share import HEADER, HOLDINGS
from tests.test_streams.doors import BEARER, TOKEN, Answer, ask, asked, doors
from tests.test_streams.serving import Held

WRONG = {"authorization": "Bearer a-wrong-one"}
FAR = ("10.1.2.3", 40_000)
PATHS = ("/", "/healthz", "/readyz", "/metrics", "/openapi.json", "/api/v1/clusters", "/api/v1/anomalies", "/nothing")


class TestNames:
    """A page whose name was made to point at loopback after it was loaded reads nothing."""

    @pytest.mark.parametrize(
        "host",
        ["127.0.0.1", "127.0.0.1:8780", "localhost", "LOCALHOST:80", "localhost.:80", "[::1]:80", "10.0.0.1:1"],
    )
    def test_addresses_and_localhost_are_good(self, host: str) -> None:
        assert ask(doors(), "/api/v1/clusters", {"host": host}).status == 200

    @pytest.mark.parametrize("path", PATHS)
    @pytest.mark.parametrize(
        "host",
        [
            "evil.example",
            "evil.example:8780",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "[evil]:1",
            "a@[::1]",
        ],
    )
    def test_no_other_name_reads_anything_on_loopback(self, host: str, path: str) -> None:
        answer = ask(doors(), path, {"host": host})
        assert (answer.status, answer.code) == (421, "unknown_host")
        assert "HYPERPOD_STATE_HTTP_ALLOWED_HOSTS" in answer.body.decode()

    def test_names_of_the_settings_are_good(self) -> None:
        app = doors(http_allowed_hosts=" worker.example.com , other")
        assert [ask(app, "/", {"host": host}).status for host in ("Worker.Example.com:80", "other", "third")] == [
            200,
            200,
            421,
        ]

    def test_elsewhere_the_token_keeps_pages_out_unless_names_are_given(self) -> None:
        far = {"http_host": "0.0.0.0", "http_token": TOKEN}
        assert ask(doors(**far), "/", {"host": "any.example", **BEARER}).status == 200
        named = doors(**far, http_allowed_hosts="worker.example.com")
        assert ask(named, "/", {"host": "any.example", **BEARER}).status == 421
        assert ask(named, "/healthz", {"host": "10.1.2.3:8780"}).status == 200


class TestPages:
    """Browsers say for which page they ask."""

    @pytest.mark.parametrize("site", ["cross-site", "same-site"])
    def test_pages_of_elsewhere_are_refused(self, site: str) -> None:
        for more in ({"sec-fetch-mode": "cors"}, {"sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}, {}):
            answer = ask(doors(), "/api/v1/clusters", {"sec-fetch-site": site, **more})
            assert (answer.status, answer.code) == (403, "cross_site")
        framed = {"sec-fetch-site": site, "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"}
        assert ask(doors(), "/", framed).status == 403

    def test_a_link_may_be_followed_and_the_own_page_may_ask(self) -> None:
        link = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
        assert ask(doors(), "/", link).status == 200
        assert ask(doors(), "/api/v1/sql", link, method="POST").status == 403
        assert ask(doors(), "/api/v1/clusters", {"sec-fetch-site": "same-origin"}).status == 200

    def test_no_answer_may_be_read_by_another_origin(self) -> None:
        for method in ("GET", "OPTIONS"):
            asks = {"origin": "https://evil.example", "access-control-request-method": "POST"}
            answer = ask(doors(), "/api/v1/clusters", asks, method=method)
            assert not [name for name in answer.headers if name.startswith("access-control")]

    def test_a_form_cannot_ask_in_sql(self) -> None:
        body = [b'{"query": "SELECT 1"}']
        assert ask(doors(), "/api/v1/sql", {"content-type": "text/plain"}, method="POST", body=body).status == 400


WANTED = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


class TestHeaders:
    """Every answer has them, whoever gave it."""

    @pytest.mark.parametrize("path", PATHS)
    def test_answers_of_routes(self, path: str) -> None:
        self._has(ask(doors(), path))

    @pytest.mark.parametrize(
        ("asks", "status"),
        [
            ({"headers": {"host": "evil.example"}}, 421),
            ({"headers": {"sec-fetch-site": "cross-site"}}, 403),
            ({"query": "x" * (TARGET + 1)}, 414),
            ({"headers": {"authorization": "Bearer no"}}, 401),
            ({"headers": BEARER, "method": "DELETE"}, 405),
            ({"headers": BEARER, "query": "limit=x"}, 400),
            ({"headers": BEARER, "method": "POST", "body": [b"x" * (BODY + 1)]}, 413),
        ],
    )
    def test_refusals(self, asks: dict[str, Any], status: int) -> None:
        answer = ask(doors(http_token=TOKEN), "/api/v1/clusters", **asks)
        assert answer.status == status
        self._has(answer)

    def test_faults_of_our_own(self) -> None:
        api = create_api(Held())

        @api.get("/broken")
        async def broken() -> None:
            raise ZeroDivisionError("nobody-may-see-this")

        with pytest.raises(ZeroDivisionError):  # Starlette raises it again for the server's log, after the answer
            ask(behind(Settings(), api), "/broken")
        answer = Answer()

        async def run() -> None:
            nonlocal answer

            async def keeping(scope: Any, receive: Any, send: Any) -> None:
                try:
                    await api(scope, receive, send)
                except ZeroDivisionError:
                    return

            answer = await asked(behind(Settings(), keeping), "/broken")

        asyncio.run(run())
        assert (answer.status, answer.code) == (500, "internal")
        assert b"nobody-may-see-this" not in answer.body
        self._has(answer)

    def test_a_page_may_use_what_this_worker_serves_and_nothing_else(self) -> None:
        async def page(scope: Any, receive: Any, send: Any) -> None:
            headers = [(b"Content-Type", b"text/html; charset=utf-8"), (b"Cache-Control", b"max-age=60")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": b"<!doctype html>"})

        answer = ask(behind(Settings(), page), "/")
        policy = answer.headers["content-security-policy"]
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert answer.headers["cache-control"] == "max-age=60"

    def _has(self, answer: Answer) -> None:
        assert {name: answer.headers.get(name) for name in WANTED} == WANTED
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "server" not in answer.headers


class TestTokens:
    """Whatever is sent in place of the token is 401, and not for ever."""

    @pytest.mark.parametrize("given", ["", "Bearer", "\xff\xfe", f"Bearer {TOKEN}\xe9", "Bearer " + "x" * 10_000])
    def test_odd_headers_are_wrong_and_nothing_else(self, given: str) -> None:
        assert ask(doors(http_token=TOKEN), "/", {"authorization": given}).status == 401

    def test_guesses_are_put_off_and_only_those_of_the_guesser(self) -> None:
        app = doors(http_token=TOKEN)

        async def run() -> None:
            statuses = [(await asked(app, "/", WRONG, client=FAR)).status for _ in range(GUESSES)]
            assert set(statuses) == {401}
            late = await asked(app, "/", BEARER, client=FAR)
            assert (late.status, late.code, late.headers["retry-after"]) == (429, "too_often", "1")
            assert (await asked(app, "/", BEARER, client=("10.9.9.9", 1))).status == 200
            assert (await asked(app, "/healthz", client=FAR)).status == 200
            assert (await asked(app, "/anomalies", client=FAR)).status == 200, "the page says what is the matter"

        asyncio.run(run())

    def test_who_sends_no_token_guesses_none(self) -> None:
        app = doors(http_token=TOKEN)
        assert {ask(app, "/api/v1/fleet", client=FAR).status for _ in range(2 * GUESSES)} == {401}
        assert ask(app, "/api/v1/fleet", BEARER, client=FAR).status == 200

    def test_guesses_on_this_machine_are_put_off_too(self) -> None:
        now = [0.0]
        app = FewGuesses(_answering(401), Rates(1.0, 2, lambda: now[0]), lambda: now[0])
        seen = [ask(app, "/", WRONG).status for _ in range(4)]
        now[0] = 1.0
        assert [*seen, ask(app, "/", WRONG).status, ask(app, "/").status] == [401, 401, 429, 429, 401, 429]

    def test_right_tokens_cost_nothing(self) -> None:
        app = doors(http_token=TOKEN)
        assert {ask(app, "/healthz" if n % 2 else "/", BEARER).status for n in range(3 * GUESSES)} == {200}


def _answering(status: int) -> Asgi:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    return app


class TestRates:
    """So many a second for each client, and no more memory than there may be."""

    def test_a_client_over_its_rate_is_put_off_until_it_fits(self) -> None:
        now = [0.0]
        app = NotTooOften(_answering(200), Rates(2.0, 4.0, lambda: now[0]), Rates(2.0, 4.0, lambda: now[0]))
        first = [ask(app, "/", client=FAR).status for _ in range(6)]
        assert first == [200] * 4 + [429] * 2
        assert ask(app, "/healthz", client=FAR).status == 200
        assert ask(app, "/", client=("10.9.9.9", 1)).status == 200
        assert [ask(app, "/").status for _ in range(50)] == [200] * 50  # this machine
        now[0] = 1.0
        assert [ask(app, "/", client=FAR).status for _ in range(3)] == [200, 200, 429]

    def test_what_another_worker_asks_for_its_clients_has_a_rate_of_its_own(self) -> None:
        app = NotTooOften(_answering(200), Rates(0.001, 1.0, lambda: 0.0), Rates(0.001, 5.0, lambda: 0.0))
        assert [ask(app, HOLDINGS, client=FAR).status for _ in range(2)] == [200] * 2
        marked = {HEADER.lower(): "{}"}
        found = [ask(app, "/api/v1/clusters", headers=marked, client=FAR).status for _ in range(4)]
        assert found == [200, 200, 200, 429]
        assert [ask(app, "/api/v1/clusters", client=FAR).status for _ in range(2)] == [200, 429]

    def test_a_worker_may_ask_as_often_as_many_clients(self) -> None:
        app = doors(http_rate=1)
        assert {ask(app, HOLDINGS, client=FAR).status for _ in range(50)} == {200}

    def test_a_setting_says_how_many(self) -> None:
        app = doors(http_rate=1)
        assert [ask(app, "/", client=FAR).status for _ in range(3)] == [200, 200, 429]
        assert {ask(doors(http_rate=0), "/", client=FAR).status for _ in range(5)} == {200}

    def test_memory_is_bounded_and_the_newest_are_remembered(self) -> None:
        rates = Rates(0.001, 1.0, lambda: 0.0, clients=100)
        for number in range(10_000):
            rates.take(str(number))
        assert len(rates) == 100
        assert rates.wait("9999") > 0
        assert rates.wait("1") == 0

    def test_an_ipv6_network_is_one_client(self) -> None:
        assert client_of(("2001:db8::1", 1)) == client_of(("2001:db8::ffff:1", 1)) != client_of(("2001:db8:0:1::1", 1))
        assert client_of(("::ffff:10.1.2.3", 1)) == client_of(("10.1.2.3", 2)) == "10.1.2.3"
        assert client_of(("fe80::1%eth0", 1)) == client_of(("fe80::2%eth1", 1))
        assert (client_of(None), client_of(("testclient", 1))) == ("", "testclient")


class TestSizes:
    """What is too long is not read to its end."""

    def test_a_query_that_is_too_long(self) -> None:
        names = "instance=i-0123456789abcdef0&" * 400
        assert ask(doors(), "/api/v1/instances", query=names[:-1]).status == 200
        answer = ask(doors(), "/api/v1/instances", query="x" * TARGET)
        assert (answer.status, answer.code) == (414, "too_long")

    @pytest.mark.parametrize(
        ("headers", "body"),
        [
            ({"content-length": str(BODY + 1)}, [b"x"]),
            ({"content-length": "1" * 5000}, [b"x"]),
            ({"content-length": "-1"}, [b"x"]),
            ({}, [b"x" * 1000] * (BODY // 1000 + 1)),
        ],
    )
    def test_a_body_that_is_too_large(self, headers: dict[str, str], body: list[bytes]) -> None:
        answer = ask(doors(), "/api/v1/sql", headers, method="POST", body=body)
        assert (answer.status, answer.code) == (413, "too_large")

    def test_a_body_in_parts_comes_in_whole(self) -> None:
        parts = [b'{"que', b'ry": "SELECT 1"}', b""]
        answer = ask(doors(), "/api/v1/sql", {"content-type": "application/json"}, method="POST", body=parts)
        assert (answer.status, answer.code) == (404, "store_off")

    def test_no_more_at_once_than_may_be(self) -> None:
        async def run() -> None:
            release = asyncio.Event()

            async def slow(scope: Any, receive: Any, send: Any) -> None:
                await release.wait()
                await _answering(200)(scope, receive, send)

            app = FewAtOnce(slow, 2)
            first = [asyncio.create_task(asked(app, "/")) for _ in range(2)]
            await asyncio.sleep(0)
            third = await asked(app, "/")
            assert (third.status, third.code, third.headers["retry-after"]) == (503, "busy", "5")
            probe = asyncio.create_task(asked(app, "/healthz"))
            of_workers = [asyncio.create_task(asked(app, HOLDINGS)) for _ in range(2)]
            await asyncio.sleep(0)
            assert (await asked(app, HOLDINGS)).code == "busy"
            release.set()
            assert [(await each).status for each in (*first, probe, *of_workers)] == [200] * 5
            assert (await asked(app, "/")).status == 200

        assert AT_ONCE > 2
        asyncio.run(run())


def routes(there: Iterable[Any]) -> Iterator[tuple[str, set[str]]]:
    """Path and methods of every route, those of routers within as well; a kind that this does not know fails."""
    for each in there:
        if hasattr(each, "original_router"):
            yield from routes(each.original_router.routes)
        else:
            yield each.path, set(each.methods)


def test_no_route_changes_anything() -> None:
    api = create_api(Held())
    found = dict(routes(api.routes))
    assert {"/", "/metrics", "/api/v1/instances/{name}/history", "/api/v1/sql"} <= found.keys()
    assert {path for path, methods in found.items() if methods - {"GET", "HEAD"}} == {"/api/v1/sql"}
    for method in ("PUT", "PATCH", "DELETE", "POST", "OPTIONS", "TRACE", "CONNECT"):
        for path in found:
            if (path, method) != ("/api/v1/sql", "POST"):
                answer = ask(api, path, method=method)
                assert (answer.status, answer.code) == (405, "read_only"), (method, path)
