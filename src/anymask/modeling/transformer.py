"""The two-way transformer: tokens look at the image and the image looks back at the tokens."""

from __future__ import annotations

import math

from torch import Tensor, nn

from anymask.modeling.common import MLPBlock


class TwoWayTransformer(nn.Module):
    """Tokens and image cells, updated by each other (Segment Anything, appendix A, figure 14)."""

    def __init__(self, depth: int, dim: int, num_heads: int, mlp_dim: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            TwoWayAttentionBlock(dim, num_heads, mlp_dim, first=layer == 0) for layer in range(depth)
        )
        self.final_attn_token_to_image = Attention(dim, num_heads, dim // 2)
        self.norm_final_attn = nn.LayerNorm(dim)

    def forward(self, image: Tensor, image_pe: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Update tokens (B, T, C) and image (B, C, h, w); image_pe (1 or B, C, h, w): positions.

        The tokens' first values serve as their positions in every layer.
        Returns tokens (B, T, C) and cells (B, h * w, C).
        """
        keys, key_pe = image.flatten(2).transpose(1, 2), image_pe.flatten(2).transpose(1, 2)
        queries = tokens
        for layer in self.layers:
            queries, keys = layer(queries, keys, tokens, key_pe)
        update = self.final_attn_token_to_image(queries + tokens, keys + key_pe, keys)
        return self.norm_final_attn(queries + update), keys


class TwoWayAttentionBlock(nn.Module):
    """Self-attention of the tokens, tokens to image, MLP, image to tokens; each followed by a norm."""

    def __init__(self, dim: int, num_heads: int, mlp_dim: int, *, first: bool) -> None:
        super().__init__()
        self.first = first
        self.self_attn = Attention(dim, num_heads, dim)
        self.norm1 = nn.LayerNorm(dim)
        self.cross_attn_token_to_image = Attention(dim, num_heads, dim // 2)
        self.norm2 = nn.LayerNorm(dim)
        self.mlp = MLPBlock(dim, mlp_dim, nn.ReLU)
        self.norm3 = nn.LayerNorm(dim)
        self.norm4 = nn.LayerNorm(dim)
        self.cross_attn_image_to_token = Attention(dim, num_heads, dim // 2)

    def forward(
        self, queries: Tensor, keys: Tensor, query_pe: Tensor, key_pe: Tensor
    ) -> tuple[Tensor, Tensor]:
        """queries, query_pe (B, T, C); keys (B, n, C); key_pe (1 or B, n, C) -> queries, keys."""
        queries = self.norm1(self.look_at_tokens(queries, query_pe))
        queries = queries + self.cross_attn_token_to_image(queries + query_pe, keys + key_pe, keys)
        queries = self.norm2(queries)
        queries = self.norm3(queries + self.mlp(queries))
        keys = keys + self.cross_attn_image_to_token(keys + key_pe, queries + query_pe, queries)
        return queries, self.norm4(keys)

    def look_at_tokens(self, queries: Tensor, query_pe: Tensor) -> Tensor:
        if self.first:  # the queries are the positions here: nothing to add, and no residual either
            return self.self_attn(queries, queries, queries)
        placed = queries + query_pe
        return queries + self.self_attn(placed, placed, queries)


class Attention(nn.Module):
    """Multi-head attention whose heads share `inner_dim` channels."""

    def __init__(self, dim: int, num_heads: int, inner_dim: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.head_dim = inner_dim // num_heads
        self.q_proj = nn.Linear(dim, inner_dim)
        self.k_proj = nn.Linear(dim, inner_dim)
        self.v_proj = nn.Linear(dim, inner_dim)
        self.out_proj = nn.Linear(inner_dim, dim)

    def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:  # (B, n, C), (B, m, C), (B, m, C)
        q, k, v = self.heads(self.q_proj(q)), self.heads(self.k_proj(k)), self.heads(self.v_proj(v))
        attention = (q @ k.transpose(2, 3) / math.sqrt(self.head_dim)).softmax(dim=-1)
        return self.out_proj((attention @ v).transpose(1, 2).flatten(2))

    def heads(self, x: Tensor) -> Tensor:
        """(B, n, heads * d) -> (B, heads, n, d)."""
        return x.reshape(*x.shape[:2], self.num_heads, self.head_dim).transpose(1, 2)
