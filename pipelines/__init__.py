"""The whole road as TFX-style components."""

from earsr_tf import environment

# One line here instead of a traceback from deep inside another package.
environment.require({**environment.REQUIRED, **environment.BEAM})
