"""Metrics, tables and figures of the paper."""
