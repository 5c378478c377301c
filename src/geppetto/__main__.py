"""`python -m geppetto` is the command `geppetto`."""

import sys
from pathlib import Path

# `-m` looks into the current folder first: a workspace's mlflow.py would stand in for the library
if sys.path[:1] in ([""], [str(Path.cwd())]):
    del sys.path[0]

from geppetto.cli import main

main()
