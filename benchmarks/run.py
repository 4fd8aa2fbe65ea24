"""Measure speed and memory side by side and write the tables to a Markdown file.

python benchmarks/run.py --images 1000 --pairs 3 --only build,reading
"""

import argparse
from pathlib import Path

from speed import benches, machine, rounds, table

RESULTS = Path(__file__).parent / "RESULTS.md"


def main() -> None:
    """Play the benches that were asked for; print and write what they came to."""
    options = arguments()
    named = benches.named(options.sizes)
    pages = [heading(options)]
    for name in options.only or named:
        bench = named[name]
        outcome = rounds.played(bench, options.pairs, options.images, options.photographs)
        pages.append(table.section(outcome))
        print(f"\n{pages[-1]}", flush=True)
        options.out.write_text("\n".join(pages), encoding="utf-8")
    print(f"written to {options.out}")


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--images", type=int, default=1000, help="pictures per bench (default: 1000)")
    add("--pairs", type=int, default=3, help="rounds, in which all take turns (default: 3)")
    add("--only", type=_names, default=[], help="benches by name, such as build,reading")
    add("--sizes", type=_numbers, default=[500, 1000, 2000], help="images of the growth benches")
    add(
        "--photographs",
        type=_folder,
        help="class folders of real pictures, instead of generated ones",
    )
    add("--out", type=Path, default=RESULTS, help="Markdown file to write")
    options = parser.parse_args(given)
    known = benches.named(options.sizes)
    if unknown := [name for name in options.only if name not in known]:
        parser.error(f"no bench is called {unknown[0]}; there are {', '.join(known)}")
    if min(options.images, options.pairs, *options.sizes) < 1:
        parser.error("--images, --pairs and --sizes must be 1 or more")
    return options


def heading(options: argparse.Namespace) -> str:
    """What was measured on what, and how to read the tables."""
    source = "photographs" if options.photographs else "generated pictures"
    return f"""# Speed compared with other tools

`make bench` writes this file. Every contestant runs in its own process, and they take turns. The
tables show the median of {options.pairs} rounds, with the lowest and the highest in parentheses. A
ratio says how many times as fast a contestant is as the first row (the median over the rounds);
above 1 is faster. Memory is the peak resident memory of all processes of a contestant together, in
MB of 10^6 bytes. Pictures: {source}, {options.images:,} asked for.

{machine.facts()}
"""


def _folder(text: str) -> Path:
    path = Path(text).resolve()
    if not path.is_dir():
        raise argparse.ArgumentTypeError(f"{text} is no folder")
    return path


def _names(text: str) -> list[str]:
    return text.split(",")


def _numbers(text: str) -> list[int]:
    return sorted({int(name) for name in text.split(",")})


if __name__ == "__main__":
    main()
