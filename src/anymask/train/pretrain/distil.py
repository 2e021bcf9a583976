"""A small image encoder learns a larger one's embeddings (MobileSAM's decoupled recipe, arXiv 2306.14289).

Only image encoders take part; afterwards the teacher's prompt encoder and mask decoder serve the student as
they are.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from anymask.core.errors import InputError
from anymask.modeling.config import SamConfig
from anymask.modeling.sam import Sam, build_image_encoder


class EmbeddingDistillation(nn.Module):
    """Views (B, 3, S, S) uint8 in, the mean squared error between the two embeddings out.

    Nothing is random here, so the seed is not used.
    """

    def __init__(self, teacher: Sam, student: SamConfig) -> None:
        """Raises InputError unless the student's embedding has the teacher's shape."""
        super().__init__()
        mine = teacher.config
        if (student.input_size, student.grid, student.prompt_dim) != (
            mine.input_size, mine.grid, mine.prompt_dim,
        ):  # fmt: skip
            raise InputError(
                f"the student embeds {student.input_size} pixels in {student.grid} x {student.grid} x "
                f"{student.prompt_dim}, the teacher {mine.input_size} in {mine.grid} x {mine.grid} x "
                f"{mine.prompt_dim}; give a student of the same sizes"
            )
        self.teacher = [teacher.eval().requires_grad_(False)]  # in a list: not part of the module's state
        self.config = student
        self.student = build_image_encoder(student)

    def forward(self, views: Tensor, seed: int) -> Tensor:
        teacher = self.teacher[0].to(views.device)
        pixels = teacher.preprocess(views.float())
        with torch.no_grad():
            target = teacher.encode(pixels).float()
        return F.mse_loss(self.student(pixels).float(), target)

    def as_sam(self) -> Sam:
        """The student's image encoder with the teacher's prompt encoder and mask decoder."""
        teacher = self.teacher[0]
        sam = Sam(self.config)
        rest = {k: v for k, v in teacher.state_dict().items() if not k.startswith("image_encoder.")}
        own = {f"image_encoder.{k}": v for k, v in self.student.state_dict().items()}
        sam.load_state_dict({**rest, **own})
        return sam
