"""The networks; constructors take plain numbers."""
