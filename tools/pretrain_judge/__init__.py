"""Trains the face descriptor that the judges of synthetic faces read."""
