"""Label Studio's protocol for machine learning backends: smart keypoints and rectangles become masks.

Everything is in percent of the image there; field names are those of Label Studio's own requests.
"""
