"""What the benches ran on and with."""

import json
import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path

import psutil

from speed.processes import PEERS

PACKAGES = ("keras", "numpy", "onnxruntime", "openvino", "pillow", "tensorflow")
PEER_PACKAGES = ("pillow", "tensorflow", "tensorflow-datasets", "torch", "ultralytics")
PEER_PACKAGES += ("webdataset",)
# Instructions that decide on the speed of matrix products.
FLAGS = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile", "amx_bf16", "amx_int8")
CPUINFO = Path("/proc/cpuinfo")


def facts() -> str:
    """The machine and the versions of packages in Markdown, without any name or path."""
    cores = len(os.sched_getaffinity(0))
    return "\n".join(
        [
            f"- processor: {_cpu('model name')}, {cores} cores; {_instructions()}",
            f"- memory: {psutil.virtual_memory().total / 1e9:.0f} GB",
            f"- Python {platform.python_version()} on {platform.system()}",
            f"- our environment: {_listed(versions(PACKAGES))}",
            f"- the peers' environment: {_listed(_peers())}",
        ]
    )


def versions(packages: tuple[str, ...]) -> dict[str, str]:
    """The versions of those packages that are installed."""
    found = {}
    for name in packages:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _peers() -> dict[str, str]:
    if not PEERS.exists():
        return {}
    code = "import json, sys; from speed import machine; "
    code += "print(json.dumps(machine.versions(machine.PEER_PACKAGES)))"
    done = subprocess.run(
        [PEERS, "-c", code],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def _listed(found: dict[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in found.items()) or "none"


def _cpu(key: str) -> str:
    """A value of the first processor."""
    if not CPUINFO.exists():
        return platform.processor()
    for line in CPUINFO.read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == key:
            return value.strip()
    return "unknown"


def _instructions() -> str:
    present = _cpu("flags").split()
    lacking = [flag for flag in FLAGS if flag not in present]
    flags = " ".join(flag for flag in FLAGS if flag in present) or "none of them"
    return f"{flags}; without {' '.join(lacking)}" if lacking else flags
