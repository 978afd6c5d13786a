"""A worker's HTTP side over TLS for tests: the real service, the doors of the real application, and certificates."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from streams import tls
from streams.http import Http, listen
from streams.settings import Settings
from streams.web.api import create_api
from streams.web.doors import behind
from tests.certificates import authority, signed, write
from tests.test_streams.serving import Held

PASSWORD = "of-the-key-nobody-may-see"


@dataclass(frozen=True)
class Keys:
    """Files: two authorities, a worker's certificate and a client's of the first, a stranger's of the second."""

    folder: Path

    def __getattr__(self, name: str) -> str:
        return str(self.folder / f"{name}.pem")

    @property
    def password(self) -> str:
        return str(self.folder / "password")

    def worker(self, *, mutual: bool = False) -> dict[str, Any]:
        """The settings of a worker."""
        own = {"http_tls_certificate_file": self.worker_certificate, "http_tls_key_file": self.worker_key}
        checks = {"http_tls_ca_file": self.authority, "http_tls_key_password_file": self.password}
        return {**own, **checks, **({"http_tls_client_ca_file": self.authority} if mutual else {})}

    def client(self, who: str = "client") -> dict[str, Any]:
        """The settings of somebody who asks it, and has a certificate."""
        shown = {"http_tls_certificate_file": getattr(self, f"{who}_certificate")}
        return {**shown, "http_tls_key_file": getattr(self, f"{who}_key"), "http_tls_ca_file": self.authority}


def keys(folder: Path) -> Keys:
    ours, theirs = authority("ours"), authority("theirs")
    write(folder, "authority.pem", ours.pem())
    write(folder, "other_authority.pem", theirs.pem())
    write(folder, "password", PASSWORD.encode() + b"\n")
    for who, by, secret in (("worker", ours, PASSWORD.encode()), ("client", ours, None), ("stranger", theirs, None)):
        pair = signed(by, f"{who}-1", "127.0.0.1")
        write(folder, f"{who}_certificate.pem", pair.pem())
        write(folder, f"{who}_key.pem", pair.key_pem(secret))
    return Keys(folder)


@contextmanager
def serving(settings: Settings) -> Iterator[int]:
    """The port of the real service in a loop of its own."""
    api = behind(settings, create_api(Held()))
    started, ports, stop = threading.Event(), list[int](), list[Any]()

    async def run() -> None:
        service = Http(api, listen("127.0.0.1", 0), tls.answering(settings))
        await service.start()
        while not service._server.started:
            await asyncio.sleep(0.01)
        ended = asyncio.Event()
        ports.append(service.port)
        stop.append((asyncio.get_running_loop(), ended))
        started.set()
        await ended.wait()
        await service.stop()

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    assert started.wait(20)
    try:
        yield ports[0]
    finally:
        loop, ended = stop[0]
        loop.call_soon_threadsafe(ended.set)
        thread.join(20)
