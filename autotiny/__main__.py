"""`python -m autotiny` is `autotiny`."""

import sys

from autotiny.cli import main

sys.exit(main())
