"""Losses per example: no reduction, no weight, no summary."""
