"""SyntheticVox: a procedural world of talking faces (no paper counterpart).

It stands in for VoxCeleb2 (paper section 4.1) where the real videos cannot be
had. NumPy and SciPy only; nothing here imports TensorFlow.
"""
