"""Foreign pictures, sounds and videos, read with limits."""
