"""Runs the keeper with `site`, which starts the measuring of coverage. See `conftest.py`."""

import os
import sys

os.execv(sys.executable, [sys.executable, "-I", "-m", "authplugin.keeper", *sys.argv[1:]])
