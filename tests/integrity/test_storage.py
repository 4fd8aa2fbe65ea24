"""Remote storages on servers are read and written."""

import os

import pytest
import storages
from damage import PICTURES, assert_whole, cache, flip, name


@pytest.fixture(params=["S3", "SSH"])
def server(request, damaged_project, monkeypatch):
    """The project with a storage behind a server, and a way around DVC to an object of it."""
    run, folder = damaged_project.run, damaged_project.folder
    if request.param == "S3":
        endpoint = request.getfixturevalue("s3_server")
        storage = storages.in_s3(endpoint, folder.parent.parent.name)
        run("dvc", "remote", "add", "far", storage.here["s3://bucket/trackbed"])
        run("dvc", "remote", "modify", "far", "endpointurl", endpoint)
        for name, value in storage.secrets.items():
            monkeypatch.setenv(name, value)
    else:
        port, keys = request.getfixturevalue("ssh_server")
        storage = storages.in_ssh(port, keys, folder.parent / "far")
        run("dvc", "remote", "add", "far", storage.here["ssh://user@host:22/srv/trackbed"])
        run("dvc", "remote", "modify", "far", "keyfile", keys / "user")
    damaged_project.environment |= {k: os.environ[k] for k in storage.secrets if k in os.environ}
    run("dvc", "push", "-q", "-r", "far")
    return damaged_project, storage


def test_remote_storages_on_servers_are_repaired(server):
    damaged_project, storage = server
    assert "all as recorded" in damaged_project.verify("--remote", "far")
    storage.write(name(PICTURES["a/2.jpg"]), b"second")
    storage.delete(name(b"model" * 200))
    output = damaged_project.verify("--remote", "far", code=1)
    assert "copies/a/2.jpg: remote: cut: 6 of 600 bytes." in output
    assert "model.bin: remote: missing." in output
    assert "2 repaired" in damaged_project.verify("--remote", "far", "--repair")
    assert "all as recorded" in damaged_project.verify("--remote", "far")
    damaged_project.run("dvc", "remote", "default", "far")
    flip(cache(damaged_project) / name(b"model" * 200))
    flip(damaged_project.folder / "model.bin")
    assert "2 repaired" in damaged_project.verify("--repair")
    assert_whole(damaged_project)
