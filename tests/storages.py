"""Remote storages that tests can push to: a folder, and servers for S3 and SSH on loopback."""

import contextlib
import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

BUCKET = "bucket"
SSHD = shutil.which("sshd", path=f"{os.environ['PATH']}{os.pathsep}/usr/sbin")


@dataclass(frozen=True)
class Storage:
    """A storage as docs/remote.md sets it up, and a way around DVC to its objects."""

    heading: str
    here: dict[str, str]  # what the document's commands say -> what this storage is called
    write: Callable[[str, bytes], None]  # an object, by its name below the storage
    delete: Callable[[str], None]
    secrets: dict[str, str] = field(default_factory=dict)  # environment of the CI job


def in_folder(path: Path) -> Storage:
    """A folder."""
    return Storage("A folder", {"/mnt/storage/trackbed": str(path)}, *_ways(path))


def in_s3(endpoint: str, name: str) -> Storage:
    """A prefix in the bucket of the server at `endpoint`."""
    secrets = {"AWS_ACCESS_KEY_ID": "KEY", "AWS_SECRET_ACCESS_KEY": "SECRET"}
    here = {"s3://bucket/trackbed": f"s3://{BUCKET}/{name}", "https://s3.example.com": endpoint}
    client = _client(endpoint)
    return Storage(
        "S3",
        here,
        lambda key, content: client.put_object(Bucket=BUCKET, Key=f"{name}/{key}", Body=content),
        lambda key: client.delete_object(Bucket=BUCKET, Key=f"{name}/{key}"),
        secrets,
    )


def in_ssh(port: int, keys: Path, path: Path) -> Storage:
    """A folder behind the server on `port`."""
    address = f"ssh://{getpass.getuser()}@127.0.0.1:{port}{path}"
    here = {"ssh://user@host:22/srv/trackbed": address, "~/.ssh/id_ed25519": str(keys / "user")}
    secrets = {"SSH_KEY": (keys / "user").read_text()}
    return Storage("SSH", here, *_ways(path), secrets)


def _ways(path: Path) -> tuple[Callable[[str, bytes], None], Callable[[str], None]]:
    def write(name: str, content: bytes) -> None:
        (path / name).chmod(0o644)
        (path / name).write_bytes(content)

    return write, lambda name: (path / name).unlink()


def _client(endpoint: str):
    import boto3

    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id="KEY",
        aws_secret_access_key="SECRET",
        region_name="us-east-1",
    )


@contextlib.contextmanager
def s3_server():
    """The address of an S3 server on loopback with one bucket."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        endpoint = "http://{}:{}".format(*server.get_host_and_port())
        _client(endpoint).create_bucket(Bucket=BUCKET)
        yield endpoint
    finally:
        server.stop()


@contextlib.contextmanager
def ssh_server(folder: Path):
    """The port of an SSH server on loopback; the private key of its only user is folder/user."""
    for name in ("host", "user"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name]
        subprocess.run(command, check=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (folder / "config").write_text(
        f"ListenAddress 127.0.0.1:{port}\nHostKey {folder}/host\nPidFile none\n"
        f"AuthorizedKeysFile {folder}/user.pub\nPasswordAuthentication no\n"
        "KbdInteractiveAuthentication no\nUsePAM no\nStrictModes no\nSubsystem sftp internal-sftp\n"
    )
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # sshd started as root refuses to run without
    log = (folder / "log").open("wb")
    server = subprocess.Popen([SSHD, "-D", "-e", "-f", folder / "config"], stderr=log)
    try:
        _await(server, port, folder / "log")
        yield port
    finally:
        server.terminate()
        server.wait()
        log.close()


def _await(server: subprocess.Popen, port: int, log: Path) -> None:
    for _ in range(100):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        if server.poll() is not None:
            break
        time.sleep(0.1)
    raise RuntimeError(f"sshd does not answer: {log.read_text()}")
