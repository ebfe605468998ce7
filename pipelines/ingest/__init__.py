"""Clips -> sealed shards, on Apache Beam."""
