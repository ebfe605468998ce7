"""Files that decoders trip over, and what becomes of them."""
