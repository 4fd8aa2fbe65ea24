"""Whether a result may be merged: not below the floor, and not worse than before."""

from trackbed.judging.comparison import Comparison


def reasons(
    macro_f1: float, floor: float, change: Comparison | None, allowed_drop: float
) -> list[str]:
    """Why the result must not be merged, in words; none if it may.

    change: against the base, or None to look at the floor alone. A drop counts if it is larger
    than allowed and its interval leaves out 0: both, so that neither noise nor a difference that
    nobody minds fails the gate.
    """
    found = []
    if macro_f1 < floor:
        found.append(f"macro F1 {macro_f1:.4f} is below the floor of {floor:.4f}")
    if change is not None:
        value, low, high = change.difference
        if value < -allowed_drop and high < 0:
            found.append(
                f"macro F1 fell by {-value:.4f} (95 % interval {-high:.4f} to {-low:.4f}) from "
                f"{change.macro_f1[0]:.4f} to {change.macro_f1[1]:.4f}; {allowed_drop:.4f} is "
                "allowed"
            )
    return found
