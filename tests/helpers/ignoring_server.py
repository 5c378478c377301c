"""A server that ignores what it is asked for."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class _Ignoring(BaseHTTPRequestHandler):
    """Gives text for everything, whatever else it is asked for."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        chat = "messages" in asked
        said = {"message": {"role": "assistant", "content": "4"}} if chat else {"text": " eight"}
        answer = {
            "id": "1",
            "object": "chat.completion" if chat else "text_completion",
            "created": 1,
            "model": asked["model"],
            "choices": [{"index": 0, "finish_reason": "stop", **said}],
            "usage": {"prompt_tokens": 20 if chat else 8, "completion_tokens": 1},
        }
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: tests are quiet."""


@contextmanager
def ignoring_server() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Ignoring)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()
