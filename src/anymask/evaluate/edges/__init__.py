"""Edge detection as a test of what a model knows about borders: the zero-shot task of arXiv 2304.02643."""
