"""Commands for data preparation and for the project's own checks."""

from earsr_tf import environment

# One line here instead of a traceback from deep inside another package.
environment.require()
