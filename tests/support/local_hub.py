"""A Hugging Face hub on this machine that keeps its repositories in a folder."""

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMIT = "1" * 40  # there is one commit, whatever is in it


class Handler(BaseHTTPRequestHandler):
    folder: Path

    def do_POST(self) -> None:
        sent = self.rfile.read(int(self.headers["Content-Length"]))
        parts = self.path.strip("/").split("/")
        if parts[:2] == ["api", "repos"]:
            fields = json.loads(sent)
            name = "/".join(filter(None, (fields.get("organization"), fields["name"])))
            (self.folder / name).mkdir(parents=True, exist_ok=True)
            self.answer({"url": f"http://{self.headers['Host']}/{name}", "id": name})
        elif "preupload" in parts:
            files = [
                {"path": file["path"], "uploadMode": "regular", "shouldIgnore": False, "oid": None}
                for file in json.loads(sent)["files"]
            ]
            self.answer({"files": files})
        elif "commit" in parts:
            for line in map(json.loads, sent.splitlines()):
                if line["key"] == "file":
                    path = self.folder.joinpath(*parts[2:4], line["value"]["path"])
                    path.write_bytes(base64.b64decode(line["value"]["content"]))
            url = f"http://{self.headers['Host']}/{'/'.join(parts[2:4])}/commit/{COMMIT}"
            self.answer({"success": True, "commitOid": COMMIT, "commitUrl": url, "hookOutput": ""})
        else:
            self.answer({"errors": [], "warnings": []})

    def do_GET(self) -> None:
        parts = self.path.partition("?")[0].strip("/").split("/")
        if parts[0] != "api":
            self.send_file("/".join(parts[:2]), "/".join(parts[4:]))
            return
        repository = self.folder.joinpath(*parts[2:4])
        if not repository.is_dir():
            self.answer({"error": "Repository not found"}, 404, "RepoNotFound")
            return
        names = sorted(path.name for path in repository.iterdir())
        if "tree" in parts:
            sizes = {name: (repository / name).stat().st_size for name in names}
            listed = [
                {"type": "file", "path": name, "size": size, "oid": name}
                for name, size in sizes.items()
            ]
            self.answer(listed)
            return
        siblings = [{"rfilename": name} for name in names]
        about = {"id": "/".join(parts[2:4]), "sha": COMMIT, "siblings": siblings, "private": False}
        self.answer({**about, "downloads": 0, "likes": 0, "tags": []})

    def do_HEAD(self) -> None:
        self.do_GET()

    def send_file(self, repository: str, name: str) -> None:
        content = (self.folder / repository / name).read_bytes()
        self.send_response(200)
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def answer(self, content: object, code: int = 200, error: str = "") -> None:
        text = json.dumps(content).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        if error:
            self.send_header("X-Error-Code", error)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    def log_message(self, *said: object) -> None:
        """Print nothing."""


@contextmanager
def local_hub(folder: Path) -> Iterator[str]:
    """Serves a folder of repositories; gives the address."""
    handler = type("HubHandler", (Handler,), {"folder": folder})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
