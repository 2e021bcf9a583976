"""`lite`: anymask's own small promptable model (CNN encoder, feature pyramid, prompt-aware mask decoder)."""

from anymask.modeling.lite.config import LiteConfig
from anymask.modeling.lite.decoder import LiteDecoder
from anymask.modeling.lite.encoder import LiteEncoder
from anymask.modeling.lite.lite import Lite, build_lite

__all__ = ["Lite", "LiteConfig", "LiteDecoder", "LiteEncoder", "build_lite"]
