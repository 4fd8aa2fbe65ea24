"""`make install`: which Python it accepts, and that uv and pip install the locked files alone."""

import hashlib
import importlib.util
import os
import re
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
UV = Path(sys.executable).parent / "uv"
METADATA = "Metadata-Version: 2.1\nName: toy-package\nVersion: 1.0\n"
WHEEL = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


@pytest.fixture(scope="module")
def install():
    spec = importlib.util.spec_from_file_location("install", ROOT / ".ci/install.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# The Python of the environment.


def venv(folder, *arguments, **environment):
    """Exit code and standard error of .ci/venv in a folder."""
    done = subprocess.run(
        ["/bin/sh", ROOT / ".ci/venv", *arguments],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


def python_of_version(path, version):
    """A program that answers as a Python of this version does when asked for it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho {version}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("version", ["2.7", "3.9", "3.10"])
def test_an_old_python_is_refused_in_one_line(tmp_path, version):
    old = python_of_version(tmp_path / "python", version)
    code, message = venv(tmp_path, old)
    assert code == 1
    assert message == f"FAILED: {old} is Python {version}; trackbed needs 3.11 or newer\n"
    assert not (tmp_path / ".venv").exists()


def test_a_python_that_does_not_start_is_refused(tmp_path):
    code, message = venv(tmp_path, "/nowhere/python3.11")
    assert code == 1
    assert message.startswith("FAILED: /nowhere/python3.11 does not start;")


def test_no_new_enough_python_on_the_path_is_one_line(tmp_path):
    python_of_version(tmp_path / "bin/python3", "3.10")
    code, message = venv(tmp_path, PATH=f"{tmp_path / 'bin'}")
    assert code == 1
    assert message.startswith("FAILED: no Python 3.11 or newer found;")
    assert message.count("\n") == 1


def test_an_environment_of_another_python_is_named(tmp_path):
    python_of_version(tmp_path / ".venv/bin/python", "3.10")
    assert venv(tmp_path) == (
        1,
        "FAILED: .venv is of Python 3.10; trackbed needs 3.11 or newer. "
        "Remove it and repeat: rm -rf .venv\n",
    )
    python_of_version(tmp_path / ".venv/bin/python", "3.12")
    other = python_of_version(tmp_path / "other", "3.13")
    assert venv(tmp_path, other) == (
        1,
        f"FAILED: .venv is of Python 3.12, not of {other} (3.13). To replace it: rm -rf .venv\n",
    )
    assert venv(tmp_path) == (0, "")


# The packages.


@pytest.fixture
def environment(tmp_path):
    """The Python of a new environment that has this one's pip and a link to its uv."""
    folder = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    (packages,) = folder.glob("lib/*/site-packages")
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib"))
    (folder / "bin/uv").symlink_to(UV)
    return folder / "bin/python"


@pytest.fixture
def lock(tmp_path):
    """A lock of one package, whose wheel lies in the folder `wheels` beside it."""
    (tmp_path / "wheels").mkdir()
    wheel = tmp_path / "wheels/toy_package-1.0-py3-none-any.whl"
    info = "toy_package-1.0.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("toy_package.py", "NAME = 'toy'\n")
        archive.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: toy-package\nVersion: 1.0\n"
        )
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    path = tmp_path / "toy.lock"
    path.write_text(f"toy-package==1.0 \\\n    --hash=sha256:{digest}\n")
    return path


def installed(environment, lock, *options):
    """Install without any index: exit code, standard error, and who installed the package."""
    without = {name: value for name, value in os.environ.items() if not name.startswith("UV_")}
    settings = {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "UV_NO_CACHE": "1"}
    done = subprocess.run(
        [environment, ROOT / ".ci/install.py", *options, lock],
        env=without | settings | {"PIP_FIND_LINKS": f"{lock.parent / 'wheels'}"},
        capture_output=True,
        text=True,
        check=False,
    )
    found = [
        *environment.parents[1].glob("lib/*/site-packages/toy_package-1.0.dist-info/INSTALLER")
    ]
    return done.returncode, done.stderr, [path.read_text().strip() for path in found]


needs_uv = pytest.mark.skipif(not UV.exists(), reason="uv is not beside this Python: make test")


def test_the_program_for_windows_runs_the_code_of_its_folder(install, tmp_path):
    """Windows itself runs it in CI; here its call of Python is run without cmd.exe."""
    install.write_program(tmp_path)
    text = (tmp_path / "trackbed.cmd").read_bytes().decode("ascii")
    found = re.fullmatch(r'@"%~dp0python\.exe" -c "(.*)" "%~dp0\.\.\\\.\.\\stages" %\*\r\n', text)
    command = [sys.executable, "-c", found[1], ROOT / "stages", "predict", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: trackbed predict")


# Bash 3.2, which macOS has, fails at each of these.
NEWER_THAN_BASH_3 = r"\$\{\w+(,|\^)|mapfile|readarray|declare -[Ag]|&>>|\|&|coproc|%\(.*\)T"


@pytest.mark.parametrize("name", ["check", "packages", "run", "venv"])
def test_a_script_works_with_the_bash_of_macos(name):
    assert not re.search(NEWER_THAN_BASH_3, (ROOT / ".ci" / name).read_text())


@needs_uv
def test_uv_installs_from_where_pip_is_configured_to_look(environment, lock):
    assert installed(environment, lock) == (0, "", ["uv"])


def test_pip_installs_where_uv_fails(environment, lock):
    (environment.parent / "uv").unlink(missing_ok=True)
    (environment.parent / "uv").write_text("#!/bin/sh\necho no network >&2\nexit 2\n")
    (environment.parent / "uv").chmod(0o755)
    code, message, installer = installed(environment, lock)
    assert (code, installer) == (0, ["pip"])
    assert "no network\nuv could not install it; installing with pip" in message


def test_pip_can_be_asked_for(environment, lock):
    code, message, installer = installed(environment, lock, "--pip")
    assert (code, installer) == (0, ["pip"])
    assert "uv" not in message


@needs_uv
def test_a_file_of_another_hash_is_installed_by_neither(environment, lock):
    lock.write_text(re.sub("sha256:.*", f"sha256:{'0' * 64}", lock.read_text()))
    code, message, installer = installed(environment, lock)
    assert code != 0
    assert installer == []
    assert "hash" in message.lower()


def test_a_lock_without_hashes_is_refused(environment, lock):
    lock.write_text("toy-package==1.0\n")
    code, _, installer = installed(environment, lock)
    assert code != 0
    assert installer == []


def test_settings_of_pip_become_variables_of_uv(install):
    listing = """\
:env:.index-url='https://user:word@one.example/simple'
global.cert='/etc/ca.pem'
global.extra-index-url='https://two.example/simple\\nhttps://three.example/simple'
global.find-links='/a /b'
global.index-url='https://other.example/simple'
install.timeout='30'
list.format='columns'
"""
    options = install.pip_options(listing)
    assert install.uv_environment(options) == {
        "UV_DEFAULT_INDEX": "https://user:word@one.example/simple",
        "UV_INDEX": "https://two.example/simple https://three.example/simple",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_FIND_LINKS": "/a,/b",
        "UV_HTTP_TIMEOUT": "30",
        "SSL_CERT_FILE": "/etc/ca.pem",
    }
    assert install.uv_environment(install.pip_options("")) == {}


def test_uv_is_locked_alike_for_users_and_developers():
    pin = re.compile(r"^uv==\S+ \\\n(?:    --hash=sha256:\w+(?: \\)?\n)+", flags=re.M)
    (own,) = pin.findall((ROOT / "requirements-uv.lock").read_text())
    (dev,) = pin.findall((ROOT / "requirements-dev.lock").read_text())
    assert own == dev


def test_no_file_names_a_package_index():
    makefiles = [ROOT / "Makefile", ROOT / "stages/trackbed/creation/templates/Makefile"]
    files = [*makefiles, ROOT / "pyproject.toml", *(ROOT / ".ci").iterdir()]
    for path in [*files, *ROOT.glob("requirements*.lock")]:
        assert not re.search(
            r"index-url\s*=?\s*\S*://|find-links\s*=?\s*/", path.read_text("utf-8")
        ), path
