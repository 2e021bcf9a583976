"""What people keep and say: masks, labels, reviews."""
