"""What `segment_anything.utils` has: sizes and coordinates, masks and their encodings."""
