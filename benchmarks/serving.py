"""What `trackbed serve` costs: CPU and memory beside `trackbed predict`, and under load.

    python benchmarks/serving.py exported data/sample --clients 16 --seconds 300

Prints a table in Markdown. Pictures are sent on connections that are kept, from processes of their
own, so that only the server's CPU time counts.
"""

import argparse
import http.client
import json
import os
import re
import statistics
import subprocess
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "stages"))
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from trackbed.inference.exported_model import PROBABILITIES  # noqa: E402
from trackbed.pictures import network_input  # noqa: E402
from trackbed.serving import served_model  # noqa: E402

SUFFIXES = {".jpg", ".jpeg", ".png"}
MOST_PICTURES = 300
BATCHES = (1, 8, 32)
TICK = os.sysconf("SC_CLK_TCK")


def pictures(folder, model):
    """The bytes of the usable pictures below a folder, evenly spread."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    places = np.linspace(0, len(paths) - 1, min(len(paths), MOST_PICTURES)).round().astype(int)
    data = [paths[place].read_bytes() for place in places]
    return [one for one in data if "class" in model.answer(one)]


def environment():
    return os.environ | {"PYTHONPATH": str(ROOT / "stages")}


@contextmanager
def server(folder):
    """A server of the folder: its process and its port."""
    command = [sys.executable, "-m", "trackbed", "serve", folder, "--port", "0"]
    process = subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, text=True)
    try:
        for line in process.stdout:
            if found := re.search(r"serving at http://127.0.0.1:(\d+)/", line):
                break
        yield process, int(found[1])
    finally:
        process.terminate()
        process.wait(60)


def cpu_seconds(process):
    """CPU time of a process with its threads so far."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def memory(process):
    """Resident memory of a process in MB."""
    text = Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", text)[1]) / 1024


def in_process(model, data, batch):
    """CPU ms per picture of decoding and inference alone, in one thread."""
    some = data[: len(data) // batch * batch]

    def decoded():
        for start in range(0, len(some), batch):
            group = some[start : start + batch]
            yield np.stack([network_input.of_bytes(one, model.limits, model.side) for one in group])

    for images in decoded():
        model.model.outputs(images, PROBABILITIES)
    start = time.process_time()
    for images in decoded():
        model.model.outputs(images, PROBABILITIES)
    return 1000 * (time.process_time() - start) / len(some)


def client(port, data, seconds):
    """Ask one after the other: the latencies in seconds, and the statuses other than 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    latencies, failures, end = [], [], time.monotonic() + seconds
    number = os.getpid()
    while time.monotonic() < end:
        number += 1
        start = time.monotonic()
        try:
            headers = {"Content-Type": "image/jpeg"}
            connection.request("POST", "/predict", data[number % len(data)], headers)
            response = connection.getresponse()
            content = json.loads(response.read())
            if response.status != 200 or "class" not in content["results"][0]:
                failures.append(str(response.status))
        except (OSError, http.client.HTTPException) as error:
            failures.append(repr(error))
            connection.close()
        latencies.append(time.monotonic() - start)
    return latencies, failures


def predict_memory(folder, source):
    """Peak memory of `trackbed predict` on the same pictures, in MB."""
    command = [sys.executable, "-m", "trackbed", "predict", source, "--model", folder]
    code = "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, "
    code += "stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL); "
    code += "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    done = subprocess.run(
        [sys.executable, "-c", code, *command], env=environment(), capture_output=True, check=True
    )
    return int(done.stdout) / 1024


def under_load(process, port, data, clients, seconds):
    """Latencies, failures, CPU ms per request, and the memory every tenth of the time."""
    memories, stop = [], threading.Event()

    def sample():
        while not stop.wait(seconds / 10):
            memories.append(memory(process))

    sampler = threading.Thread(target=sample)
    sampler.start()
    before = cpu_seconds(process)
    with ProcessPoolExecutor(clients) as pool:
        found = [pool.submit(client, port, data, seconds) for _ in range(clients)]
        results = [one.result() for one in found]
    used = cpu_seconds(process) - before
    stop.set()
    sampler.join()
    latencies = [one for some, _ in results for one in some]
    failures = [one for _, some in results for one in some]
    return latencies, failures, 1000 * used / len(latencies), memories


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("exported", help="folder of the exported model")
    parser.add_argument("source", type=Path, help="folder of pictures")
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--baseline-only", action="store_true", help="no server")
    arguments = parser.parse_args()
    model = served_model.load(Path(arguments.exported))
    data = pictures(arguments.source, model)
    baseline = {batch: in_process(model, data, batch) for batch in BATCHES}
    print("| what | value |\n|---|---|")
    for batch, value in baseline.items():
        print(f"| decoding and inference, batch {batch}, CPU ms a picture | {value:.2f} |")
    if arguments.baseline_only:
        return
    with server(arguments.exported) as (process, port):
        client(port, data, 1)
        before = cpu_seconds(process)
        latencies, failures = client(port, data, 10)
        alone = 1000 * (cpu_seconds(process) - before) / len(latencies)
        print(f"| one client, CPU ms a request | {alone:.2f} |")
        print(f"| over decoding and inference | {alone / baseline[1]:.2f} |")
        print(f"| one client, median latency, ms | {1000 * statistics.median(latencies):.2f} |")
        latencies, more, each, memories = under_load(
            process, port, data, arguments.clients, arguments.seconds
        )
        failures += more
    latencies.sort()
    print(f"| {arguments.clients} clients, seconds | {arguments.seconds:g} |")
    print(f"| requests | {len(latencies):,} |")
    print(f"| errors | {len(failures)} {' '.join(sorted(set(failures))[:3])} |")
    print(f"| requests a second | {len(latencies) / arguments.seconds:.0f} |")
    print(f"| CPU ms a request | {each:.2f} |")
    print(f"| over decoding and inference | {each / baseline[1]:.2f} |")
    for share in (0.5, 0.99):
        place = latencies[int(share * (len(latencies) - 1))]
        print(f"| latency, {share:.0%} of requests below, ms | {1000 * place:.1f} |")
    print(f"| memory at every tenth, MB | {', '.join(f'{one:.0f}' for one in memories)} |")
    peak = predict_memory(arguments.exported, str(arguments.source))
    print(f"| peak memory of `trackbed predict`, MB | {peak:.0f} |")
    print(f"| largest memory of the server over it | {max(memories) / peak:.2f} |")


if __name__ == "__main__":
    main()
