"""Numbers and epochs as the analysis of a training history words them."""

from collections.abc import Sequence

MOST = 40


def number(value: float | None) -> str:
    """Four significant digits, or 'n/a'."""
    return "n/a" if value is None or value != value else f"{value:.4g}"


def ranges(epochs: Sequence[int]) -> str:
    """Sorted epochs with neighbours drawn together, of MOST ranges: '1-11, 13-15, 17'."""
    parts: list[list[int]] = []
    for epoch in epochs:
        if parts and epoch == parts[-1][-1] + 1:
            parts[-1].append(epoch)
        else:
            parts.append([epoch])
    more = f" and {len(parts) - MOST} more" if len(parts) > MOST else ""
    shown = parts[:MOST]
    return ", ".join(f"{p[0]}-{p[-1]}" if len(p) > 1 else str(p[0]) for p in shown) + more
