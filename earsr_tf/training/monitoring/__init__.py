"""What a run tells about itself: metrics, TensorBoard, profiles."""
