"""Run the command line: `python -m autotiny`."""

import sys

from autotiny.commands.main import main

sys.exit(main())
