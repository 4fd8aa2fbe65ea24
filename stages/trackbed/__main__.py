"""`python -m trackbed`."""

import sys

from trackbed.cli import main

sys.exit(main())
