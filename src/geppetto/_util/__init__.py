"""What every package needs and none is about: errors, settings, names, files, processes.

The central noun is a `GeppettoError`, the one error that a user is meant to read. Everything that
stands on the staircase may import this package, which imports none of them.
"""

from geppetto._util.errors import GeppettoError, unknown

__all__ = ["GeppettoError", "unknown"]
