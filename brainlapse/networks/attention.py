"""Self-attention over the elements of a feature map."""

import torch.nn.functional as functional
from torch import Tensor, nn


class SelfAttention(nn.Module):
    """Residual self-attention with one head (Vaswani et al. 2017) between all d h w elements."""

    def __init__(self, channels: int, groups: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(groups, channels)
        self.project = nn.Linear(channels, 3 * channels)
        self.output = nn.Linear(channels, channels)
        nn.init.zeros_(self.output.weight)  # starts as the identity, like the residual blocks
        nn.init.zeros_(self.output.bias)

    def forward(self, features: Tensor) -> Tensor:  # (B, C, d, h, w) -> same
        """Add to every element what it gathers from all others."""
        rows = self.norm(features).flatten(2).transpose(1, 2)  # (B, d h w, C)
        query, key, value = self.project(rows).chunk(3, dim=2)
        gathered = functional.scaled_dot_product_attention(query, key, value)
        return features + self.output(gathered).transpose(1, 2).reshape(features.shape)
