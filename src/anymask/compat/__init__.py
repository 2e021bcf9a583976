"""The names of the `segment_anything` package over anymask's parts: change one import, keep your code.

    from anymask.compat import SamPredictor, sam_model_registry

    sam = sam_model_registry["vit_b"](checkpoint="sam_vit_b_01ec64.pth")
    predictor = SamPredictor(sam)

Modules lie where they lie there (`anymask.compat.utils.amg`, `anymask.compat.utils.transforms`). Arguments,
results and their order are the same. Torch is needed only by what takes tensors.
"""

from anymask.compat.automatic_mask_generator import SamAutomaticMaskGenerator
from anymask.compat.build_sam import (
    build_sam,
    build_sam_vit_b,
    build_sam_vit_h,
    build_sam_vit_l,
    build_sam_vit_t,
    sam_model_registry,
)
from anymask.compat.predictor import SamPredictor

__all__ = [
    "SamAutomaticMaskGenerator",
    "SamPredictor",
    "build_sam",
    "build_sam_vit_b",
    "build_sam_vit_h",
    "build_sam_vit_l",
    "build_sam_vit_t",
    "sam_model_registry",
]
