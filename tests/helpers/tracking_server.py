"""A tracking server like MLflow's that at some moment stops answering, in a way that it is told."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

FILES = "/api/2.0/mlflow-artifacts/artifacts/"


@dataclass
class Tracking:
    """What the server has, and what it does.

    Attributes
    ----------
    fault
        What happens to each request from the moment on that `after` was asked for: "hang", or
        "later" (503, and the wish to be asked in an hour).
    after
        Part of the path, or of what is sent, of the request that is the first to fail.
    """

    fault: str = ""
    after: str = ""
    runs: dict[str, dict[str, Any]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    failing: bool = False
    ended: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    def says(self, path: str, sent: dict[str, Any]) -> dict[str, Any]:
        """What a request is answered with."""
        what = path.removeprefix("/api/2.0/mlflow/")
        if what.startswith("experiments/get"):
            home = "mlflow-artifacts:/1"
            known = {"experiment_id": "1", "name": "small", "artifact_location": home}
            return {"experiment": {**known, "lifecycle_stage": "active"}}
        if what == "runs/search":
            wanted = re.findall(r"'(.*)'", sent.get("filter", ""))
            found = [run for run in self.runs.values() if wanted[0] in run["told"].values()]
            return {"runs": [self.run(each["info"]["run_id"]) for each in found]}
        if what == "runs/create":
            name = uuid4().hex  # MLflow keeps for each where its files are
            info = {"run_id": name, "run_uuid": name, "experiment_id": "1", "status": "RUNNING"}
            info |= {"artifact_uri": f"mlflow-artifacts:/1/{name}", "lifecycle_stage": "active"}
            told = {tag["key"]: tag["value"] for tag in sent.get("tags", ())}
            self.runs[name] = {"info": info, "told": told}
            return {"run": self.run(name)}
        if what == "runs/get":
            return {"run": self.run(sent["run_id"])}
        if what == "runs/update":
            run = self.runs[sent["run_id"]]
            run["info"] |= {"status": sent.get("status", run["info"]["status"])}
            return {"run_info": run["info"]}
        if what == "runs/delete":
            del self.runs[sent["run_id"]]
        elif what == "runs/log-batch":
            told = {tag["key"]: tag["value"] for tag in sent.get("tags", ())}
            self.runs[sent["run_id"]]["told"] |= told
        return {}

    def run(self, name: str) -> dict[str, Any]:
        """A run as it is sent."""
        run = self.runs[name]
        tags = [{"key": key, "value": value} for key, value in run["told"].items()]
        return {"info": run["info"], "data": {"tags": tags}}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer is sent as a whole
    script: Tracking

    def do_GET(self) -> None:
        self._answer()

    do_POST = do_PUT = do_GET  # noqa: N815  names of http.server

    def _answer(self) -> None:
        script = self.script
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path, _, query = self.path.partition("?")
        script.failing |= bool(script.after) and script.after in f"{self.path} {body!r}"
        if script.failing and script.fault:
            self._fail(script.fault)
            return
        if path.startswith(FILES):
            script.files[path.removeprefix(FILES)] = body
            self._send(200, {})
            return
        sent = dict(part.split("=", 1) for part in query.split("&") if part)
        self._send(200, script.says(path, sent | (json.loads(body) if body else {})))

    def _fail(self, fault: str) -> None:
        if fault == "later":
            self._send(503, {}, **{"Retry-After": "3600"})
        else:
            self.script.ended.wait()
            self.close_connection = True

    def _send(self, status: int, what: dict[str, Any], **headers: str) -> None:
        data = json.dumps(what).encode()
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(data))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def tracking(**how: Any) -> Iterator[Tracking]:
    """A server that runs until the end of this context."""
    script = Tracking(**how)
    handler = type("Handler", (_Handler,), {"script": script})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    script.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield script
    finally:
        script.ended.set()
        server.shutdown()
        server.server_close()
        thread.join()
