"""Takes away what Windows lacks, as far as Linux can show it; Python imports this when it starts.

Modules and attributes are gone for the code of the package alone. Files behave as on Windows:
- text is written with the line ends and the code page of Windows unless the code names its own,
- a file that is open, or read-only, is neither replaced nor deleted,
- no folder is opened as a file, and only a file that is open for writing is flushed,
- symbolic links are refused, as they are without special rights,
- processes are started afresh (spawn), as on macOS too.

Paths keep their forward slashes: only Windows itself can show the others.
"""

import asyncio
import builtins
import errno
import io
import mmap
import multiprocessing
import os
import pathlib
import shutil
import signal
import stat
import sys

PACKAGE = f"{os.sep}stages{os.sep}"  # in the path of a file of the package, wherever it lies
MODULES = {"fcntl", "grp", "pty", "pwd", "resource", "syslog", "termios", "tty"}
OF_OS = ["fork", "forkpty", "getpgid", "getpgrp", "killpg", "setpgid", "setsid"]
OF_OS += ["chown", "fchmod", "lchown", "mkfifo", "mknod", "getegid", "geteuid", "getgid", "getuid"]
OF_OS += ["memfd_create", "posix_fadvise", "posix_fallocate", "sched_getaffinity", "statvfs"]
OF_OS += ["getloadavg", "nice", "setpriority", "sysconf", "uname"]
OF_OS += ["O_CLOEXEC", "O_DIRECTORY", "O_NOFOLLOW", "O_NONBLOCK", "O_SYNC"]
OF_SIGNAL = ["SIGHUP", "SIGKILL", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGPIPE"]
OF_SIGNAL += ["alarm", "pause", "setitimer"]
OF_MMAP = [
    "MADV_HUGEPAGE",
    "MAP_POPULATE",
    "MAP_PRIVATE",
    "MAP_ANONYMOUS",
    "MAP_SHARED",
    "PROT_READ",
    "PROT_WRITE",
]


def importing_file(depth):
    """The file that the running code belongs to, without Python's own import system."""
    frame = sys._getframe(depth)
    while frame and frame.f_code.co_filename.startswith("<frozen importlib"):
        frame = frame.f_back
    return frame.f_code.co_filename if frame else ""


class NoSuchModule:
    """Finds nothing for MODULES where the package asks."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name in MODULES and PACKAGE in importing_file(2):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


class Without:
    """A module without some of its attributes."""

    def __init__(self, module, names):
        self.__dict__.update(_module=module, _names=frozenset(names))

    def __getattr__(self, name):
        if name in self._names:
            raise AttributeError(f"module {self._module.__name__!r} has no attribute {name!r}")
        return getattr(self._module, name)

    def __setattr__(self, name, value):
        setattr(self._module, name, value)


def importing(name, globals=None, *arguments, **options):
    module = original_import(name, globals, *arguments, **options)
    file = (globals or {}).get("__file__") or ""
    if PACKAGE in file and name in REDUCED:
        return REDUCED[name]
    if PACKAGE in file and name in MODULES:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)
    return module


original_import = builtins.__import__
REDUCED = {
    "os": Without(os, OF_OS),
    "signal": Without(signal, OF_SIGNAL),
    "mmap": Without(mmap, OF_MMAP),
}


def is_open(path):
    """Whether this process has a file open, or mapped into memory."""
    path = os.path.realpath(path)
    for number in os.listdir("/proc/self/fd"):
        try:
            if os.readlink(f"/proc/self/fd/{number}") == path:
                return True
        except OSError:
            continue
    with original_open("/proc/self/maps", encoding="utf-8", errors="replace") as maps:
        return any(line.rstrip("\n").endswith(f" {path}") for line in maps)


def refuse(path):
    """Raise PermissionError where Windows would not replace or delete a file.

    Not for installed packages, which ask for the name of the system.
    """
    if "site-packages" in sys._getframe(2).f_code.co_filename:
        return
    try:
        mode = os.lstat(path).st_mode
    except OSError:
        return
    if stat.S_ISREG(mode) and not mode & stat.S_IWUSR:
        raise PermissionError(errno.EACCES, "Access is denied (read-only)", os.fspath(path))
    if stat.S_ISREG(mode) and is_open(path):
        raise PermissionError(errno.EACCES, "The process cannot access the file", os.fspath(path))
    if stat.S_ISDIR(mode):
        for folder, _, names in os.walk(path):
            for name in names:
                if is_open(os.path.join(folder, name)):
                    raise PermissionError(errno.EACCES, "Access is denied", os.fspath(path))


original_replace, original_rename = os.replace, os.rename
original_unlink, original_open, original_fsync = os.unlink, io.open, os.fsync
original_os_open = os.open


def moving(original, replaces):
    def move(source, target, **options):
        refuse(source)
        if os.path.isdir(target) or (os.path.exists(target) and not replaces):
            raise FileExistsError(errno.EEXIST, "Cannot create a file", os.fspath(target))
        refuse(target)
        return original(source, target, **options)

    return move


def unlink(path, *, dir_fd=None):
    if dir_fd is None:
        refuse(path)
    return original_unlink(path, dir_fd=dir_fd)


def open_text(file, mode="r", buffering=-1, encoding=None, errors=None, newline=None, **more):
    caller = sys._getframe(1).f_code.co_filename
    if "b" not in mode and (PACKAGE in caller or caller == pathlib.__file__):
        encoding = "cp1252" if encoding in (None, "locale") else encoding
        newline = "\r\n" if newline is None and not mode.startswith("r") else newline
    return original_open(file, mode, buffering, encoding, errors, newline, **more)


def fsync(descriptor):
    with original_open(f"/proc/self/fdinfo/{descriptor}", encoding="ascii") as info:
        flags = int(info.read().split("flags:")[1].split()[0], 8)
    if not flags & (os.O_WRONLY | os.O_RDWR):
        raise OSError(errno.EBADF, "Bad file descriptor")
    return original_fsync(descriptor)


def os_open(path, flags, mode=0o777, *, dir_fd=None):
    if dir_fd is None and not flags & DIRECTORY and os.path.isdir(path):
        raise PermissionError(errno.EACCES, "Permission denied", path)
    return original_os_open(path, flags, mode, dir_fd=dir_fd)


DIRECTORY = os.O_DIRECTORY


def no_links(source, target, *_, **__):
    raise OSError(errno.EINVAL, "A required privilege is not held by the client", source)


def no_handler(*_):
    # What the event loop of Windows answers to add_signal_handler.
    raise NotImplementedError


def main():
    builtins.__import__ = importing
    sys.meta_path.insert(0, NoSuchModule)
    os.replace, os.rename = moving(original_replace, True), moving(original_rename, False)
    os.unlink = os.remove = unlink
    shutil._use_fd_functions = False
    os.open, os.fsync, os.symlink = os_open, fsync, no_links
    io.open = builtins.open = open_text
    asyncio.SelectorEventLoop.add_signal_handler = no_handler
    multiprocessing.set_start_method("spawn")


main()
