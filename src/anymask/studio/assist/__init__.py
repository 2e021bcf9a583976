"""The data engine's second stage: what the model is sure of is prefilled, people fill the gaps.

Segment Anything's data set was made in three stages (arXiv 2304.02643, section 4); in the second one
confident masks were shown to people, who had only the rest to annotate.
"""
