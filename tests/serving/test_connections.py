"""Clients that are slow, broken, old or gone."""

import http.client
import json
import re
import socket
import time

import pytest
from served import picture

RED = picture()
HEAD = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\n"


def error(answer):
    return json.loads(answer.partition(b"\r\n\r\n")[2])


def test_a_head_that_does_not_end_is_cut_off(server):
    start = time.monotonic()
    answer = server.raw(HEAD)
    assert 0.8 < time.monotonic() - start < 4  # --timeout 1
    assert answer.startswith(b"HTTP/1.1 408")
    assert error(answer)["code"] == "timeout"


def test_bytes_one_by_one_do_not_prolong_the_head(server):
    start = time.monotonic()
    with socket.create_connection((server.host, server.port), timeout=5) as connection:
        try:
            for byte in HEAD:
                connection.sendall(bytes([byte]))
                time.sleep(0.1)
        except OSError:
            pass
    assert time.monotonic() - start < 4


def test_a_body_that_does_not_come_is_status_408(server):
    answer = server.raw(HEAD + b"Content-Length: 500\r\n\r\nabc")
    assert answer.startswith(b"HTTP/1.1 408")
    assert error(answer)["code"] == "timeout"


def test_slow_clients_do_not_block_others(server):
    slow = [socket.create_connection((server.host, server.port)) for _ in range(30)]
    try:
        for connection in slow:
            connection.sendall(HEAD + b"Content-Length: 500\r\n\r\nabc")
        start = time.monotonic()
        assert server.predict(RED)[0] == 200
        assert time.monotonic() - start < 0.8
    finally:
        for connection in slow:
            connection.close()


def test_a_chunked_body_needs_no_length(server):
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (RED[:10], RED[10:]))
    request = HEAD + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = server.raw(request + chunks + b"0\r\n\r\n")
    assert b'"class":"red"' in answer


def test_an_endless_chunked_body_is_status_413(server):
    chunk = b"%x\r\n%b\r\n" % (100_000, bytes(100_000))
    answer = server.raw(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 8, wait=3)
    assert answer.startswith(b"HTTP/1.1 413")
    assert error(answer)["limit"] == 400_000


def test_a_large_body_is_refused_before_it_is_sent(server):
    answer = server.raw(HEAD + b"Content-Length: 999999999\r\nExpect: 100-continue\r\n\r\n", wait=3)
    assert answer.startswith(b"HTTP/1.1 413")
    assert b"100 Continue" not in answer


@pytest.mark.parametrize(
    "request_",
    [
        b"GARBAGE\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01",  # a client that wants TLS
        b"GET / HTTP/1.1\r\n\r\n",  # without Host
        HEAD + b"Content-Length: -1\r\n\r\n",
        HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        HEAD + b"Transfer-Encoding: gzip\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_what_is_no_http_is_refused_as_json(server, request_):
    answer = server.raw(request_, wait=3)
    status = int(re.match(rb"HTTP/1.1 (\d+)", answer)[1])
    assert 400 <= status < 500 or status == 501
    assert {"error", "code"} <= set(error(answer))


def test_http_1_0_is_answered_and_closed(server):
    answer = server.raw(
        b"POST /predict HTTP/1.0\r\nContent-Type: image/png\r\nContent-Length: %d\r\n\r\n%b"
        % (len(RED), RED)
    )
    assert b" 200 OK" in answer.splitlines()[0]
    assert error(answer)["results"][0]["class"] == "red"


def test_pipelined_requests_are_answered_in_order(server):
    colours = [(250, 0, 0), (0, 250, 0), (0, 0, 250)]
    request = b"".join(
        HEAD + b"Content-Length: %d\r\n\r\n%b" % (len(data), data) for data in map(picture, colours)
    )
    answer = server.raw(request, wait=1)
    assert re.findall(rb'"class":"(\w+)"', answer) == [b"red", b"green", b"blue"]


def test_a_connection_serves_many_requests(server):
    connection = server.connection()
    for _ in range(3):
        connection.request("POST", "/predict", RED, {"Content-Type": "image/png"})
        assert connection.getresponse().read()
    connection.request("POST", "/predict", b"rubbish", {"Content-Type": "image/png"})
    response = connection.getresponse()
    assert (response.status, bool(response.read())) == (422, True)
    connection.request("GET", "/v2/health/live")
    assert connection.getresponse().status == 200
    connection.close()


def test_clients_that_go_leave_nothing_behind(server):
    for _ in range(20):
        connection = socket.create_connection((server.host, server.port))
        connection.sendall(HEAD + b"Content-Length: %d\r\n\r\n%b" % (len(RED), RED))
        connection.close()
    time.sleep(0.3)
    assert server.measure("trackbed_pictures_waiting") == 0
    assert server.predict(RED)[0] == 200


def test_an_upgrade_to_websocket_is_left_alone(server):
    connection = http.client.HTTPConnection(server.host, server.port, timeout=5)
    connection.request("GET", "/predict", headers={"Connection": "Upgrade", "Upgrade": "websocket"})
    assert connection.getresponse().status == 405
    connection.close()
