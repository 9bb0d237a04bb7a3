"""Runs the console script as `python -m sprite_obs`."""

import sys

from sprite_obs.cli import main

sys.exit(main())
