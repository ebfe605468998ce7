"""Files that decoders trip over."""
