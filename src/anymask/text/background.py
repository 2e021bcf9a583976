"""Words for what a picture shows besides the thing looked for: what a text has to outdo."""

from __future__ import annotations

from typing import Final

BACKGROUND: Final = (
    "person", "face", "hand", "hair", "skin", "animal", "bird", "insect", "fish", "plant", "flower", "tree",
    "leaf", "grass", "fruit", "vegetable", "food", "drink", "clothing", "shoe", "bag", "furniture", "chair",
    "table", "bed", "lamp", "window", "door", "wall", "floor", "ceiling", "building", "house", "roof", "road",
    "sidewalk", "fence", "pole", "sign", "car", "vehicle", "wheel", "bicycle", "boat", "airplane", "train",
    "sky", "cloud", "water", "sea", "sand", "soil", "stone", "mountain", "snow", "metal", "wood", "plastic",
    "glass", "paper", "fabric", "text", "book", "bottle", "cup", "plate", "tool", "machine", "screen",
    "computer", "toy", "ball", "musical instrument", "crack", "scratch", "stain", "hole", "rust", "shadow",
    "light", "reflection", "pattern", "texture", "background", "surface", "line", "spot", "cell", "tissue",
    "bone", "particle", "crystal", "part of something",
)  # fmt: skip
