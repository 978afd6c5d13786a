"""A service on loopback that takes CloudEvents, as a test wants it to answer."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Hook:
    """A service that takes CloudEvents: keeps their ids, and may hold an answer back."""

    url: str = ""
    whole: list[str] = field(default_factory=list)
    """Ids; in `ids` they are without when the page began."""
    ids: list[str] = field(default_factory=list)
    held: threading.Event = field(default_factory=threading.Event)
    status: int = 202

    @contextmanager
    def up(self) -> Iterator[Hook]:
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                hook.whole.append(body["id"])
                hook.ids.append(body["id"].rpartition("/")[0])
                while hook.held.is_set():
                    time.sleep(0.05)
                try:
                    self.send_response(hook.status)
                    self.end_headers()
                except ConnectionError:
                    return  # whoever asked was killed

            def log_message(self, *_: object) -> None:
                """Quiet."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{server.server_port}/in"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield self
        finally:
            self.held.clear()
            server.shutdown()
            server.server_close()
