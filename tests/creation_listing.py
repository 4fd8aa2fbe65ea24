"""Listings of sources from file names, for the tests of groups."""

from pathlib import Path

from trackbed.dataset.schema import Entry, Listing


def listing(names):
    """Of file names such as A/7_1.png; the class is the folder, below a part where there is one."""
    entries = []
    for name in names:
        *above, class_name, _ = name.split("/")
        part = above[0] if above else ""
        folder = name.rpartition("/")[0]
        entries.append(Entry(name, class_name, part, name, Path(name), folder=folder))
    classes = sorted({one.class_name for one in entries})
    return Listing(entries, classes, [], [])


def drives(pattern, classes="AB", groups=4, frames=3):
    """Pictures of some groups in each class; the pattern has c, g or n, and f.

    c: the class; g: the number of the group; n: the same, anew in every class; f: the frame.
    """
    return listing(
        f"{name}/{pattern.format(c=name, g=10 * number + group, n=group, f=frame)}"
        for number, name in enumerate(classes)
        for group in range(groups)
        for frame in range(frames)
    )
