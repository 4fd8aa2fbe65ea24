"""Errors that a user can mend: one line of what, where and how, in place of a traceback."""


class UserError(Exception):
    """What is wrong, where it is, and what to do; the text is shown to the user as it stands."""

    exit_code = 2  # wrong parameters, missing files, wrong usage


class BadData(UserError):
    """The source's pictures, classes or groups do not allow what was asked."""

    exit_code = 3


class Damaged(UserError):
    """A file is not as it was written."""

    exit_code = 4


class Diverged(UserError):
    """Training came to values that are not finite."""

    exit_code = 5


class Busy(UserError):
    """Another process is at the same work."""

    exit_code = 6


class NoSpace(UserError):
    """The disk is full."""

    exit_code = 7
