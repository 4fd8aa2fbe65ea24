"""The network small_cnn and a simple augmentation in PyTorch."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

SHIFT = 0.1  # share of the side, at most


class SmallCNN(nn.Module):
    """Layer by layer what trackbed.networks.small_cnn builds; uint8 in, logits out."""

    def __init__(self, side: int, classes: int, width: float, dropout: float) -> None:
        super().__init__()
        channels = round(16 * width)
        blocks: list[nn.Module] = [_normalised(3, channels, 3, 2 if side >= 64 else 1), nn.ReLU()]
        for base, stride in ((16, 2 if side >= 128 else 1), (32, 2), (64, 2), (128, 2)):
            blocks.append(Residual(channels, round(base * width), stride))
            channels = round(base * width)
        self.layers = nn.Sequential(
            *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(dropout)
        )
        self.top = nn.Linear(channels, classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Logits of images 0..255."""
        pixels = images.to(torch.float32, memory_format=torch.channels_last)
        return self.top(self.layers(pixels / 127.5 - 1))


class Residual(nn.Module):
    """Two convolutions and a shortcut, averaged where it shrinks."""

    def __init__(self, given: int, filters: int, stride: int) -> None:
        super().__init__()
        self.long = nn.Sequential(
            _normalised(given, filters, 3, stride), nn.ReLU(), _normalised(filters, filters, 3)
        )
        short = [nn.AvgPool2d(stride, ceil_mode=True)] if stride > 1 else []
        if given != filters:
            short.append(_normalised(given, filters, 1))
        self.short = nn.Sequential(*short)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The sum of both ways."""
        return torch.relu(self.long(x) + self.short(x))


def _normalised(given: int, filters: int, kernel: int, stride: int = 1) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(given, filters, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(filters),
    )


def shifted_and_flipped(images: torch.Tensor) -> torch.Tensor:
    """A batch moved as a whole by some pixels, and about half of its images mirrored."""
    most = max(1, round(SHIFT * images.shape[-1]))
    down, right = torch.randint(-most, most + 1, (2,)).tolist()
    moved = torch.roll(images, (down, right), (2, 3))
    mirrored = torch.rand(len(images)) < 0.5
    return torch.where(mirrored[:, None, None, None], moved.flip(3), moved)


def augmented(images: torch.Tensor, changes: Sequence[Mapping[str, Any]]) -> torch.Tensor:
    """A batch after the changes of a recipe, random for each image: those of position as one."""
    count, side = len(images), images.shape[-1]
    named = {change["name"]: change for change in changes}
    pixels = images.to(torch.float32, memory_format=torch.channels_last)
    angle = _uniform(count, math.radians(named.get("rotation", {}).get("degrees", 0)))
    zoom = named.get("zoom", {})
    size = _uniform(count, zoom.get("factor", 0))
    size = 1 - size.abs() if zoom.get("inward") else 1 + size
    mirrored = torch.rand(count) < 0.5 if "flip" in named else torch.zeros(count, dtype=torch.bool)
    most = named.get("translation", {}).get("factor", 0)
    theta = torch.zeros(count, 2, 3)
    theta[:, 0, 0], theta[:, 1, 1] = size * angle.cos(), size * angle.cos()
    theta[:, 0, 1], theta[:, 1, 0] = -size * angle.sin(), size * angle.sin()
    theta[:, :, 2] = 2 * (torch.rand(count, 2) * 2 - 1) * most
    theta[:, 0] *= torch.where(mirrored, -1.0, 1.0)[:, None]
    grid = nn.functional.affine_grid(theta, [count, 3, side, side], align_corners=False)
    pixels = nn.functional.grid_sample(pixels, grid, padding_mode="reflection", align_corners=False)
    if "brightness" in named:
        shift = _uniform(count, 255 * named["brightness"]["factor"])[:, None, None, None]
        pixels = (pixels + shift).clamp(0, 255)
    if "contrast" in named:
        factor = 1 + _uniform(count, named["contrast"]["factor"])[:, None, None, None]
        mean = pixels.mean((2, 3), keepdim=True)
        pixels = (mean + factor * (pixels - mean)).clamp(0, 255)
    return pixels


def _uniform(count: int, most: float) -> torch.Tensor:
    """Random numbers from -most to most, shape (count,)."""
    return (torch.rand(count) * 2 - 1) * most
