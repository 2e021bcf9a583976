"""Training `lite` and fine-tuning: SAM's procedure (arXiv 2304.02643, appendix A) on tar shards of masks."""
