"""What the project checks about its own files."""
