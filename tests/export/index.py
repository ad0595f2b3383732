"""A package index on this machine, with tiny wheels."""

from __future__ import annotations

import io
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def wheel(name: str, version: str, requires: str = "") -> bytes:
    info = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    files = {
        f"{name}.py": "VALUE = 1\n",
        f"{info}/METADATA": metadata + (f"Requires-Dist: {requires}\n" if requires else ""),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{file},,\n" for file in [*files, f"{info}/RECORD"])
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for file, text in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(file, text)
    return content.getvalue()


@dataclass(frozen=True)
class Index:
    """A running index; ``url`` is its address, ``with_password`` the same with credentials in it."""

    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/simple"

    @property
    def with_password(self) -> str:
        return self.url.replace("://", "://user:secret@")


@contextmanager
def serving(wheels: Mapping[str, bytes]) -> Iterator[Index]:
    """Serve wheels by file name, until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._answer()

        def do_GET(self) -> None:
            self.wfile.write(self._answer())

        def _answer(self) -> bytes:
            place, _, name = self.path.rstrip("/").rpartition("/")
            if place == "/simple":
                found = [file for file in wheels if file.startswith(f"{name}-")]
                # Addresses that name the server, as some indexes give, may carry the credentials of whoever asks.
                links = (
                    f'<a href="http://user:secret@{self.headers["Host"]}/files/{file}">{file}</a>'
                    for file in found
                )
                body = "".join(links).encode() if found else None
            else:
                body = wheels.get(name)
            self.send_response(200 if body else 404)
            self.send_header("Content-Length", str(len(body or b"")))
            self.send_header(
                "Content-Type", "text/html" if place == "/simple" else "application/octet-stream"
            )
            self.end_headers()
            return body or b""

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield Index(server.server_port)
        finally:
            server.shutdown()
            thread.join()
