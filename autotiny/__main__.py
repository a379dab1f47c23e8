"""`python -m autotiny` is `autotiny`."""

import sys

from autotiny.commands.main import main

sys.exit(main())
