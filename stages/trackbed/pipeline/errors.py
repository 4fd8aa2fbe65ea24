"""Errors that a user can fix: one line with what, where and how, without a traceback."""


class UserError(Exception):
    """What is wrong, where, and how to fix it; the text is printed as it is."""

    exit_code = 2  # wrong parameters, missing files, wrong usage


class BadData(UserError):
    """The pictures, classes or groups of the source are unusable for the parameters."""

    exit_code = 3


class Damaged(UserError):
    """A file differs from what was written."""

    exit_code = 4


class Diverged(UserError):
    """Training produced values that are not finite."""

    exit_code = 5


class Busy(UserError):
    """Another process runs the same stage."""

    exit_code = 6


class NoSpace(UserError):
    """The disk is full."""

    exit_code = 7
