"""Export of a trained model for serving."""
