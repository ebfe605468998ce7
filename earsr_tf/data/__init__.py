"""From clips on disk to batches of tensors."""
