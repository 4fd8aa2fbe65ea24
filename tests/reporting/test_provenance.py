import re
import subprocess
import sys
from pathlib import Path

import fabricated
import psutil

from trackbed.reporting import provenance


def test_the_hardware_is_that_of_this_machine():
    found = provenance.hardware()
    assert found["memory"] == f"{psutil.virtual_memory().total / 2**30:.0f} GiB"
    assert 1 <= int(found["cores"]) <= psutil.cpu_count()
    assert found["processor"]


def test_the_revision_counts_code_but_not_outputs_as_changed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def git(*words):
        identity = ("-c", "user.name=Tester", "-c", "user.email=tester@example.com")
        done = subprocess.run(
            ["git", *identity, *words], check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    assert provenance.revision().commit == "unknown"
    git("init", "-q")
    assert provenance.revision().commit == "unknown"  # no commit yet
    Path("params.yaml").write_text("a: 1\n")
    Path("metrics.json").write_text("{}\n")
    git("add", ".")
    git("commit", "-q", "-m", "state")
    Path("metrics.json").write_text("[]\n")
    assert provenance.revision() == provenance.Revision(git("rev-parse", "HEAD"), changed=False)
    Path("params.yaml").write_text("a: 2\n")
    assert provenance.revision().changed


def test_the_context_holds_versions_machine_and_times(tmp_path):
    paths = fabricated.run(tmp_path)
    fabricated.report_again(tmp_path, paths)
    assert "the network was trained elsewhere" in fabricated.context(tmp_path)["parts"]["times"]
    fabricated.write_measurements(tmp_path)
    fabricated.report_again(tmp_path, paths)
    parts = fabricated.context(tmp_path)["parts"]
    assert list(parts) == ["revision", "times", "changes", "others", "code", "machine"]
    assert f'python</th><td class="mono">{sys.version.split()[0]}<' in parts["machine"]
    assert re.search(r"dvclive</th><td[^>]*>\d+\.\d+", parts["machine"])
    assert re.search(r"memory</th><td[^>]*>\d+ GiB", parts["machine"])
    assert 'train</th><td class="n">3 min 20 s<' in parts["machine"]
    # 27 epochs of 4.2 s.
    assert "1 min 53 s for 27 epochs: median 4.2 s an epoch" in parts["times"]
    assert "Training waited for images in 25.0 % of its time" in parts["times"]
    assert "At most 900 MB of memory." in parts["times"]
    assert parts["times"].count("<tr>") == 28
    assert parts["revision"] == ", revision unknown"
