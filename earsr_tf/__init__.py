"""Learning to have an ear for face super-resolution, in TensorFlow."""

from earsr_tf import environment

# One line here instead of a traceback from deep inside another package.
environment.require()
