import os
import threading

from trackbed.pictures import standard_error


def test_what_a_library_prints_is_caught(capfd):
    with standard_error.caught() as messages:
        os.write(2, b"a.tif: wrong \xff\nsecond line\n")
    assert messages.first == "a.tif: wrong \ufffd"
    os.write(2, b"after")
    assert capfd.readouterr() == ("", "after")


def test_nobody_catches_while_others_print(capfd):
    """The catcher waits for both printers, and they print on the terminal."""
    ready, release, seen = threading.Barrier(3), threading.Event(), []

    def print_something():
        with standard_error.printed():
            ready.wait(10)
            release.wait(10)
            os.write(2, b"x")

    def catch():
        with standard_error.caught() as messages:
            pass
        seen.append(messages.first)

    printers = [threading.Thread(target=print_something) for _ in range(2)]
    catcher = threading.Thread(target=catch)
    for thread in printers:
        thread.start()
    ready.wait(10)
    catcher.start()
    catcher.join(0.05)
    assert catcher.is_alive()
    release.set()
    for thread in (*printers, catcher):
        thread.join(10)
    assert seen == [""]
    assert capfd.readouterr().err == "xx"


def test_a_stream_for_logs_is_not_caught(capfd):
    with standard_error.uncaught() as stream, standard_error.caught() as messages:
        print("a line", file=stream)
    assert messages.first == ""
    assert capfd.readouterr().err == "a line\n"
