"""Pure functions: tensors in, tensors out; no variables, no configuration."""
