"""`python -m geppetto` is the command `geppetto`."""

from geppetto.cli import main

main()
