"""A whole server: reloading, stopping, tokens, addresses, and what it does when it is full."""

import concurrent.futures
import json
import os
import signal
import socket
import subprocess
import threading
import time

import pytest
import served
from served import picture, running, write_model

RED = picture((200, 100, 90))
NEW = ("rot", "grün", "blau")


def reloaded(server, before):
    """Wait until another version answers."""
    for _ in range(100):
        status, content = server.predict(RED)
        assert status == 200
        if content["version"] != before:
            return content
        time.sleep(0.05)
    raise AssertionError("no other model within 5 seconds")


@pytest.fixture
def own(tmp_path):
    """A folder with a model of its own."""
    return write_model(tmp_path / "exported")


@pytest.mark.parametrize("way", ["signal", "watch", "request"])
def test_another_model_takes_over(own, way):
    with running(own, "--watch", 0.1 if way == "watch" else 0) as server:
        before = server.predict(RED)[1]["version"]
        write_model(own, classes=NEW)
        if way == "signal":
            server.process.send_signal(signal.SIGHUP)
        elif way == "request":
            status, _, content = server.ask("POST", "/v2/repository/models/trackbed/load")
            assert (status, content["state"]) == (200, "READY")
        after = reloaded(server, before)
        assert after["results"][0]["class"] == "rot"
        assert server.measure("trackbed_model_reloads_total") == 1


def test_no_request_is_lost_while_models_change(own):
    with running(own, "--watch", 0) as server:
        stop, statuses, versions = threading.Event(), [], set()

        def client():
            connection = server.connection()
            while not stop.is_set():
                connection.request("POST", "/predict", RED, {"Content-Type": "image/png"})
                response = connection.getresponse()
                content = json.loads(response.read())
                statuses.append(response.status)
                # A model answers with its own classes and its own version.
                versions.add((content["version"], content["results"][0]["class"]))
            connection.close()

        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            clients = [pool.submit(client) for _ in range(4)]
            for number in range(6):
                write_model(own, classes=NEW if number % 2 == 0 else served.CLASSES)
                server.process.send_signal(signal.SIGHUP)
                time.sleep(0.15)
            stop.set()
            for one in clients:
                one.result()
        assert set(statuses) == {200}
        assert len(versions) == 2
        assert {name for _, name in versions} == {"red", "rot"}


def test_a_damaged_model_is_refused_and_the_old_one_goes_on(own):
    with running(own, "--watch", 0) as server:
        before = server.predict(RED)[1]
        (own / "model.onnx").write_bytes(b"damaged")
        status, _, content = server.ask("POST", "/v2/repository/models/trackbed/load")
        assert (status, content["code"]) == (409, "reload_failed")
        assert "differs from its digest" in content["error"]
        assert server.predict(RED) == (200, before)
        (own / "model.json").write_text("{")
        server.process.send_signal(signal.SIGHUP)
        time.sleep(0.3)
        assert server.predict(RED) == (200, before)
        assert server.measure("trackbed_model_reloads_total") == 2
        server.process.terminate()
        assert "goes on" in server.process.communicate(timeout=20)[1]


def test_two_reloads_at_once_both_succeed(own):
    with running(own, "--watch", 0) as server:
        write_model(own, classes=NEW)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            path = "/v2/repository/models/trackbed/load"
            found = [pool.submit(server.ask, "POST", path) for _ in range(8)]
            assert {one.result()[0] for one in found} == {200}
        assert server.predict(RED)[1]["results"][0]["class"] == "rot"
        assert 1 <= server.measure("trackbed_model_reloads_total") <= 8


def test_a_request_that_has_begun_is_answered_before_the_end(own):
    with running(own) as server:
        idle = socket.create_connection((server.host, server.port))
        with socket.create_connection((server.host, server.port), timeout=10) as connection:
            head = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\n"
            connection.sendall(head + b"Content-Length: %d\r\n\r\n" % len(RED) + RED[:50])
            time.sleep(0.2)
            server.process.terminate()
            time.sleep(0.3)
            connection.sendall(RED[50:])
            answer = server.rest(connection)
        assert answer.startswith(b"HTTP/1.1 200")
        assert b'"class":"red"' in answer
        assert server.process.wait(timeout=10) == 0
        idle.close()


def test_ctrl_c_ends_it_like_other_commands(own):
    with running(own) as server:
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(timeout=10) == 130


def test_a_client_that_does_not_end_is_given_up(own):
    with (
        running(own, "--drain", 1, "--timeout", 60) as server,
        socket.create_connection((server.host, server.port)) as connection,
    ):
        connection.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n")
        time.sleep(0.2)
        server.process.terminate()
        assert b" 503 " in server.rest(connection)
        assert server.process.wait(timeout=6) == 0
        assert "Traceback" not in server.process.stderr.read()


@pytest.mark.parametrize("source", ["file", "environment"])
def test_a_token_keeps_others_out(own, tmp_path, source):
    path = tmp_path / "token"
    path.write_text("s3cret-s3cret\n")
    arguments = ("--token-file", path) if source == "file" else ()
    environment = {"TRACKBED_TOKEN": "s3cret-s3cret"} if source == "environment" else {}
    with running(own, *arguments, **environment) as server:
        for given in (None, "Bearer wrong", "Basic s3cret-s3cret", "Bearer s3cret-s3cre\xe9", ""):
            headers = {"Content-Type": "image/png"}
            headers |= {} if given is None else {"Authorization": given}
            status, answered, content = server.ask("POST", "/predict", RED, headers)
            assert (status, content["code"]) == (401, "unauthorized")
            assert answered["WWW-Authenticate"].startswith("Bearer")
        for scheme in ("Bearer", "bearer"):
            headers = {"Content-Type": "image/png", "Authorization": f"{scheme} s3cret-s3cret"}
            assert server.ask("POST", "/predict", RED, headers)[0] == 200
        closed = ["/metrics", "/v2", "/v2/models/trackbed"]
        assert {server.ask("GET", path)[0] for path in closed} == {401}
        opened = ["/", "/docs", "/openapi.json", "/v2/health/live", "/v2/health/ready"]
        assert {server.ask("GET", path)[0] for path in opened} == {200}


def test_a_full_queue_is_status_503(own):
    with running(own, "--queue", 0, "--threads", 1, "--max-files", 50) as server:
        kind, body = served.files(*[picture(size=(900, 900))] * 50)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            asked = [
                pool.submit(server.ask, "POST", "/predict", body, {"Content-Type": kind})
                for _ in range(8)
            ]
            found = [one.result() for one in asked]
        statuses = [status for status, _, _ in found]
        assert set(statuses) == {200, 503}
        _, headers, content = found[statuses.index(503)]
        assert content["code"] == "busy"
        assert int(headers["Retry-After"]) >= 1
        assert server.predict(RED)[0] == 200


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as one:
            one.bind(("::1", 0))
        return True
    except OSError:
        return False


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
def test_it_listens_on_ipv6(own):
    with running(own, host="::1") as server:
        assert "http://[::1]:" in server.lines[-1]
        assert server.predict(RED)[0] == 200


def test_an_address_beyond_this_machine_without_a_token_is_pointed_out(own):
    with running(own, host="0.0.0.0") as server:
        assert any("Anyone who reaches this address" in line for line in server.lines)


def test_standard_error_keeps_its_lines_while_tiffs_are_decoded(own):
    # Messages of libtiff are caught from file descriptor 2, where the log goes, too.
    tiff = picture(format="TIFF", compression="tiff_deflate")
    with running(own, "--log-requests") as server:
        for _ in range(20):
            assert server.predict(tiff, "image/tiff")[0] == 200
        server.process.terminate()
        log = server.process.communicate(timeout=20)[1]
    assert log.count("POST /predict") == 20


def test_it_runs_where_nothing_can_be_written(own):
    # As with a read-only file system: every file that is written is refused.
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0));"
    code = f"{limit} from trackbed.cli import main; main()"
    process = subprocess.Popen(
        [served.command(own)[0], "-B", "-c", code, "serve", str(own), "--port", "0"],
        cwd=served.STAGES,
        env=os.environ | {"TMPDIR": "/nowhere"},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        process.stdout.readline()
        port = int(process.stdout.readline().split(":")[2].split("/")[0])
        server = served.Running(process, "127.0.0.1", port)
        tiff = picture(format="TIFF", compression="tiff_lzw")
        assert server.predict(tiff, "image/tiff")[1]["results"][0]["class"] == "red"
        kind, body = served.files(*[picture(size=(900, 900), format="BMP")] * 3)
        assert server.predict(body, kind)[0] == 200
    finally:
        process.terminate()
        process.communicate(timeout=20)
