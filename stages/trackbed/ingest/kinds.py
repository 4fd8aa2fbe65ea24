"""The words of findings.csv: what can be said against a record that got in."""

from typing import Final

CONTRADICTION: Final = "also in another class"  # pixel by pixel, as in rejects.csv
IN_TEST: Final = "also in the test part"
NEAR_CONTRADICTION: Final = "near one in another class"
NEAR_TEST: Final = "near one in the test part"
DUPLICATE: Final = "duplicate"
NEAR: Final = "near-duplicate"
BLACK: Final = "black"
WHITE: Final = "white"
LOW_INFORMATION: Final = "low information"
BLURRED: Final = "blurred"
UNUSUAL_BRIGHTNESS: Final = "unusual brightness"
UNUSUAL_SHAPE: Final = "unusual shape"
UNUSUAL_SIZE: Final = "unusual size"

# In the order in which they are listed: what spoils a score first.
EXACT = (CONTRADICTION, IN_TEST, DUPLICATE)
NEAR_ONES = (NEAR_CONTRADICTION, NEAR_TEST, NEAR)
KINDS = (
    *(CONTRADICTION, NEAR_CONTRADICTION, IN_TEST, NEAR_TEST, DUPLICATE, NEAR),
    *(BLACK, WHITE, LOW_INFORMATION, BLURRED),
    *(UNUSUAL_BRIGHTNESS, UNUSUAL_SHAPE, UNUSUAL_SIZE),
)
