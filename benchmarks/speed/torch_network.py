"""The network small_cnn and a simple augmentation in PyTorch."""

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
