"""A real server on a real socket: it announces itself, answers, ends in order; and what every answer carries."""

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from laurels import log, wiring
from laurels.settings import Settings
from tests.api.harness import api
from tests.stage import asynchronous


@asynchronous
async def test_server_announces_its_address_answers_and_ends_in_order_on_a_signal(laurels_url: str) -> None:
    settings = Settings(database_url=laurels_url, port=0, worker_seconds=1, idle_seconds=1)
    addresses: asyncio.Queue[str] = asyncio.Queue()
    async with wiring.application(settings) as running:
        secret, _key = await wiring.make_key(running, "cafe", source="pos", name="till", scopes=["admin"])
        serving = asyncio.create_task(wiring.serve_running(running, addresses.put_nowait))
        address = await asyncio.wait_for(addresses.get(), 20)
        headers = {"Authorization": f"Bearer {secret}"}
        async with httpx.AsyncClient(base_url=address, headers=headers) as client:
            assert (await client.get("/healthz")).json()["status"] == "ok"
            program = (await client.get("/v1/program")).json()
            assert (program["program"], program["mode"]) == ("cafe", "sandbox")
            answered = await client.post("/v1/activities", content=b"{", headers={"Content-Type": "application/json"})
            assert (answered.status_code, answered.json()["code"]) == (400, "malformed_body")
            assert "server" not in answered.headers
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(serving, 20)
    with pytest.raises(OSError, match=r"[Cc]onnect|refused"):
        socket.create_connection((urlsplit(address).hostname or "", urlsplit(address).port or 0), 1).close()


@asynchronous
async def test_a_body_in_chunks_that_came_with_its_head_is_cut_off_at_its_limit(laurels_url: str) -> None:
    settings = Settings(database_url=laurels_url, port=0, idle_seconds=1, body_bytes_most=2048)
    addresses: asyncio.Queue[str] = asyncio.Queue()
    async with wiring.application(settings) as running:
        secret, _key = await wiring.make_key(running, "cafe", source="pos", name="till", scopes=["admin"])
        serving = asyncio.create_task(wiring.serve_running(running, addresses.put_nowait))
        address = urlsplit(await asyncio.wait_for(addresses.get(), 20))
        head = (
            "POST /v1/activities HTTP/1.1\r\nhost: here\r\ncontent-type: application/json\r\n"
            f"transfer-encoding: chunked\r\nconnection: close\r\nauthorization: Bearer {secret}\r\n\r\n"
        )
        answers = []
        for size in (2048, 2049):
            reader, writer = await asyncio.open_connection(address.hostname, address.port)
            body = b"{" + b" " * (size - 2) + b"}"
            writer.write(head.encode() + f"{size:x}\r\n".encode() + body + b"\r\n0\r\n\r\n")
            answers.append((await asyncio.wait_for(reader.read(), 20)).split(b"\r\n")[0].split()[1])
            writer.close()
        assert answers == [b"422", b"413"]
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(serving, 20)


def test_several_processes_serve_one_address_and_end_together(laurels_url: str, tmp_path: Path) -> None:
    program = "import sys\nfrom laurels import wiring\nfrom laurels.settings import read_settings\nimport os\n"
    program += (
        "if __name__ == '__main__':\n    wiring.serve(read_settings(os.environ), lambda a: print(a, flush=True))\n"
    )
    script = tmp_path / "serve.py"
    script.write_text(program)
    environment = {
        **os.environ, "LAURELS_DATABASE_URL": laurels_url, "LAURELS_PORT": "0", "LAURELS_PROCESSES": "2",
        "LAURELS_LANES": "1", "LAURELS_LOG_LEVEL": "error",
    }  # fmt: skip
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, env=environment, text=True) as serving:
        try:
            assert serving.stdout is not None
            address = serving.stdout.readline().strip()
            deadline = time.monotonic() + 60
            while True:
                try:
                    assert httpx.get(f"{address}/readyz", timeout=5).json() == {"status": "ready"}
                    break
                except httpx.TransportError:
                    assert time.monotonic() < deadline
                    time.sleep(0.2)
        finally:
            serving.send_signal(signal.SIGTERM)
            assert serving.wait(60) == 0


@asynchronous
async def test_every_answer_says_which_request_it_answers_and_is_kept_by_nobody(laurels_url: str) -> None:
    async with api(laurels_url) as here:
        first, second = [await here.call("GET", "/v1/program") for _ in range(2)]
        ids = {answer.headers["x-request-id"] for answer in (first, second)}
        assert len(ids) == 2
        assert all(
            re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", id) for id in ids
        )
        own = await here.call("GET", "/v1/program", headers={"X-Request-Id": "trace-0042"})
        assert own.headers["x-request-id"] == "trace-0042"
        odd = await here.call("GET", "/v1/program", headers={"X-Request-Id": "a\tb c"})
        assert odd.headers["x-request-id"] != "a\tb c"
        for answer in (first, await here.call("GET", "/v2"), await here.call("POST", "/v1/activities", content=b"{")):
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert "default-src 'none'" in answer.headers["content-security-policy"]


@asynchronous
async def test_each_request_has_one_canonical_line(laurels_url: str) -> None:
    async with api(laurels_url) as here:
        await here.enrol("m-1")
        for id in ("a", "b"):
            await here.call("POST", "/v1/members/m-1/none", {}, headers={"X-Request-Id": f"request-{id}"})
        lines = [json.loads(line) for line in here.log.getvalue().splitlines()]
        requests = [line for line in lines if line["event"] == "request"]
        assert [line["request_id"] for line in requests][1:] == ["request-a", "request-b"]
        first = requests[0]
        shown = ("program", "key", "route", "status", "code", "accepted", "level")
        assert tuple(first[name] for name in shown) == ("cafe", "till", "POST /v1/members", 201, None, 1, "info")
        assert first["duration_ms"] > 0
        # An address that is not there may hold anything; it is not written down.
        assert (requests[1]["route"], requests[1]["code"]) == ("POST -", "no_such_route")


@asynchronous
async def test_canonical_line_names_an_unnamed_key_by_its_id(laurels_url: str) -> None:
    async with api(laurels_url) as here:
        secret, known = await wiring.make_key(here.running, "cafe", source="pos", name="", scopes=["program:read"])
        await here.call("GET", "/v1/program", secret=secret)
        (line,) = [json.loads(line) for line in here.log.getvalue().splitlines() if '"event":"request"' in line]
        assert line["key"] == known.id


@asynchronous
async def test_metrics_count_activities_and_name_nobody(laurels_url: str) -> None:
    async with api(laurels_url) as here:
        await here.enrol("m-1")
        await here.send("check_in", "c-1", "m-1", {})
        await here.call("POST", "/v1/activities", {"activities": [{"type": "custom.x"}, {"id": "q"}]})
        metrics = await here.call("GET", "/metrics")
        assert metrics.headers["content-type"].count("charset") == 1
        text = metrics.text
        assert 'laurels_activities_total{status="accepted",type="check_in"} 1.0' in text
        assert 'laurels_activities_total{status="invalid",type="unknown"} 2.0' in text
        assert 'laurels_request_seconds_count{route="POST /v1/activities",status="200"} 2.0' in text
        assert "laurels_activities_waiting 0.0" in text
        for word in ("m-1", "cafe", "till", "c-1"):
            assert word not in text


@asynchronous
async def test_reference_page_asks_no_other_host_for_anything(laurels_url: str) -> None:
    async with api(laurels_url) as here:
        page = await here.call("GET", "/docs")
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "http" not in policy
        assert "unsafe" not in policy
        linked = re.findall(r'(?:src|href)="([^"#]+)"', page.text)
        assert linked == ["/docs/reference.css", "/docs/reference.js", "/openapi.json"]
        for path in linked:
            answered = await here.call("GET", path)
            assert answered.status_code == 200
            assert not re.search(r"https?://|//[a-z]+\.", answered.text) or path == "/openapi.json"
        assert not re.search(r"<script>|<style|\son\w+=", page.text)
        script = (await here.call("GET", "/docs/reference.js")).text
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b", script)


@asynchronous
async def test_readiness_says_no_when_the_database_does_not_answer(laurels_url: str) -> None:
    async with api(laurels_url) as here:
        await here.running.database.pool.close()
        answered = await here.call("GET", "/readyz")
        assert (answered.status_code, answered.json()["code"]) == (503, "unavailable")
        assert (await here.call("GET", "/healthz")).status_code == 200
        assert (await here.call("GET", "/v1/members/m-1")).json()["code"] == "unavailable"


@pytest.fixture(autouse=True)
def _quiet_logging() -> None:
    log.configure(Settings(log_level="error"))
