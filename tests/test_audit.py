"""`make audit`: what pip-audit finds in the locks, and above all that silence is no answer."""

import json
import os
import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PIP_AUDIT = ROOT / ".cache/audit/bin/pip-audit"
LOCK = "pillow==13.0.0 --hash=sha256:" + "0" * 64 + "\nrich==15.0.0 --hash=sha256:" + "1" * 64
NOWHERE = "http://127.0.0.1:9"  # the port of a service that no machine runs


def audit(folder, program, *options, **environment):
    (folder / "requirements.lock").write_text(LOCK + "\n")
    return subprocess.run(
        [sys.executable, ROOT / ".ci/audit.py", program, *options],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def pip_audit():
    if not PIP_AUDIT.exists():
        pytest.skip("no pip-audit: `make audit` installs it")
    return PIP_AUDIT


@pytest.fixture
def database():
    """A database of vulnerabilities on loopback that knows one, of Pillow."""

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self):
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            name = asked["package"]["name"]
            events = [{"introduced": "0"}, {"fixed": "13.0.1"}]
            affected = {
                "package": {"name": name, "ecosystem": "PyPI"},
                "ranges": [{"type": "ECOSYSTEM", "events": events}],
            }
            known = {"id": "PYSEC-1", "summary": "", "aliases": ["CVE-1"], "affected": [affected]}
            known |= {"modified": "2026-01-01T00:00:00Z"}
            body = json.dumps({"vulns": [known]} if name == self.server.unsafe else {}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        server.unsafe = "pillow"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def asking(server):
    # OSV is the one service of pip-audit whose address can be given.
    address = f"http://127.0.0.1:{server.server_port}"
    return "--vulnerability-service", "osv", "--osv-url", address


def test_a_vulnerability_is_listed_with_the_fixed_version(tmp_path, pip_audit, database):
    done = audit(tmp_path, pip_audit, *asking(database), NO_PROXY="127.0.0.1")
    assert done.returncode == 1, done.stderr
    assert "pillow 13.0.0: PYSEC-1, CVE-1; fixed in 13.0.1" in done.stdout
    assert "audited 2 packages of 1 locks: 1 known to be unsafe" in done.stdout
    assert "make lock" in done.stderr


def test_nothing_known_is_a_success(tmp_path, pip_audit, database):
    database.unsafe = "another"
    done = audit(tmp_path, pip_audit, *asking(database), NO_PROXY="127.0.0.1")
    assert (done.returncode, done.stderr) == (0, "")
    assert "audited 2 packages of 1 locks: 0 known" in done.stdout


def test_without_a_network_it_fails_and_says_so(tmp_path, pip_audit):
    (tmp_path / ".cache/audit").mkdir(parents=True)
    (tmp_path / ".cache/audit/report.json").write_text('{"dependencies": []}')  # of another day
    nothing = {"HTTPS_PROXY": NOWHERE, "https_proxy": NOWHERE, "NO_PROXY": ""}
    done = audit(tmp_path, pip_audit, "--cache-dir", str(tmp_path), **nothing)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("COULD NOT AUDIT: ")
    assert "is there network access?" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_program_is_named(tmp_path):
    done = audit(tmp_path, "/nowhere/pip-audit")
    assert done.returncode == 2
    assert done.stderr.startswith("COULD NOT AUDIT: /nowhere/pip-audit: No such file")


def test_the_environment_of_the_audit_is_locked_itself():
    locked = (ROOT / "requirements-audit.lock").read_text()
    assert re.search(r"^pip-audit==[\d.]+ \\\n    --hash=sha256:", locked, flags=re.M)
    makefile = (ROOT / "Makefile").read_text()
    assert "--require-hashes" in makefile.partition("$(AUDIT)/installed: ")[2].partition("\n\n")[0]
    assert "pip-audit" not in (ROOT / "requirements.lock").read_text()
