"""What all routes have in common."""

import pytest
from served import picture, running

PATHS = ["/", "/predict", "/docs", "/openapi.json", "/metrics", "/v2", "/v2/models/trackbed"]


@pytest.mark.parametrize("path", ["/nothing", "/predict/", "/static/../served.py", "//", "/v1"])
def test_an_unknown_path_is_status_404(server, path):
    status, _, content = server.ask("GET", path)
    assert (status, content["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    "path",
    ["/static/%2e%2e/page_routes.py", "/static/..%2f..%2fcli.py", "/%00", "/static/", "/\xff"],
)
def test_no_path_reaches_the_disk(server, path):
    request = f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode("latin-1")
    answer = server.raw(request)
    assert answer.split()[1] in (b"404", b"400")


def test_head_has_the_headers_of_get_and_no_body(server):
    for path in ("/", "/v2/health/live", "/openapi.json"):
        status, headers, content = server.ask("HEAD", path)
        assert (status, content) == (200, b"")
        assert headers["Content-Length"] == server.ask("GET", path)[1]["Content-Length"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "NONSENSE"])
def test_another_method_is_status_405_and_names_the_right_one(server, method):
    status, headers, content = server.ask(method, "/predict")
    assert (status, headers["Allow"]) == (405, "POST")
    assert method == "HEAD" or content["code"] == "method_not_allowed"


def test_no_answer_is_open_to_other_sites(server):
    headers = {"Origin": "https://example.com", "Access-Control-Request-Method": "POST"}
    for method in ("GET", "POST", "OPTIONS"):
        for path in PATHS:
            answered = server.ask(method, path, headers=headers)[1]
            assert not [name for name in answered if name.lower().startswith("access-control")]
            assert answered["X-Content-Type-Options"] == "nosniff"
            assert "Server" not in answered


@pytest.mark.parametrize("path", ["/", "/docs", "/static/page.js"])
def test_pages_have_a_strict_policy(server, path):
    status, headers, _ = server.ask("GET", path)
    policy = headers["Content-Security-Policy"]
    assert (status, "default-src 'none'" in policy) == (200, True)
    assert "unsafe" not in policy
    assert "*" not in policy


def test_compressed_bodies_are_refused(server):
    headers = {"Content-Type": "image/png", "Content-Encoding": "gzip"}
    status, _, content = server.ask("POST", "/predict", b"x", headers)
    assert (status, content["code"]) == (415, "unsupported_media_type")


def test_a_body_over_the_limit_is_status_413(server):
    status, content = server.predict(bytes(400_001))
    assert (status, content["code"], content["limit"]) == (413, "too_large", 400_000)


def test_a_form_with_many_files_is_status_413(server):
    from served import files

    kind, body = files(*[picture()] * 100)
    status, content = server.predict(body, kind)
    assert (status, content["code"], content["limit"]) == (413, "too_many_files", 5)


def test_pictures_beyond_max_pixels_are_rejected(model_folder):
    with running(model_folder, "--max-pixels", 400) as server:
        status, content = server.predict(picture(size=(24, 20)))
        assert (status, content["reason"]) == (422, "too many pixels")
        assert server.predict(picture(size=(20, 20)))[0] == 200


def test_measures_count_answers_and_refusals(model_folder):
    with running(model_folder) as server:
        server.predict(picture())
        server.predict(picture((20, 250, 20)))
        server.predict(picture((120, 120, 110)))
        server.predict(b"rubbish")
        server.ask("GET", "/nothing")
        server.ask("GET", "/other")
        text = server.ask("GET", "/metrics")[2].decode()
    lines = set(text.splitlines())
    assert 'trackbed_requests_total{route="predict",status="200"} 3.0' in lines
    assert 'trackbed_requests_total{route="predict",status="422"} 1.0' in lines
    assert 'trackbed_requests_total{route="none",status="404"} 2.0' in lines
    assert 'trackbed_answers_total{class_name="red"} 2.0' in lines
    assert "trackbed_refused_answers_total 1.0" in lines
    assert 'trackbed_rejected_pictures_total{reason="not an image"} 1.0' in lines
    assert "process_resident_memory_bytes" in text


def test_prometheus_own_parser_reads_the_measures(server):
    from prometheus_client.parser import text_string_to_metric_families

    families = {
        one.name
        for one in text_string_to_metric_families(server.ask("GET", "/metrics")[2].decode())
    }
    assert {"trackbed_requests", "trackbed_model_info", "trackbed_confidence"} <= families


@pytest.mark.parametrize("target", ["http://x/v2/health/live", "HTTP://x:80/v2/health/live?a=/b"])
def test_a_target_may_be_a_whole_url(server, target):
    request = f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    answer = server.raw(request.encode())
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b'{"live":true}')
