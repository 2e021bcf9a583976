"""What torchvision does with PIL images, which is what PIL does."""

import enum

from PIL import Image


class InterpolationMode(enum.Enum):
    NEAREST = "nearest"
    BILINEAR = "bilinear"
    BICUBIC = "bicubic"
    BOX = "box"
    HAMMING = "hamming"
    LANCZOS = "lanczos"


def to_pil_image(pixels):
    return Image.fromarray(pixels)


def resize(image, size):
    height, width = size
    return image.resize((width, height), Image.Resampling.BILINEAR)
