"""Reads the authors' published weights; see docs/official_weights.md."""
