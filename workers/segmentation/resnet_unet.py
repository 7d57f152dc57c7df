"""A U-Net whose encoder is a ResNet-50, over bands, two indices and elevation.

Waismann et al., area changes of mountain glaciers from Landsat; encoder: He, Zhang, Ren and Sun (2016), Deep residual
learning for image recognition, https://arxiv.org/abs/1512.03385, with the stride in the 3 x 3 convolution and the names
of torchvision's state dict, so that published ImageNet weights fit. 85,763,266 trainable parameters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from workers.layers import require_multiple

BANDS = ("ndwi", "ndsi", "blue", "green", "red", "nir", "swir1", "swir2", "thermal", "elevation")
"""The order of the ten channels; the set of nine leaves out swir2."""


@dataclass(frozen=True)
class Config:
    """The published network."""

    channels: int = 10
    """9 leaves out swir2, as a figure of the study does for its quality."""
    bottlenecks: tuple[int, ...] = (3, 4, 6, 3)
    stem: int = 64
    ups: tuple[int, ...] = (1024, 512, 256, 64, 32)
    """Channels after each transposed convolution."""
    last: int = 16
    """Channels before the head."""
    convolutions: int = 2
    """In each decoder step (decision: two; "a convolution layer" read literally is one)."""
    classes: int = 2
    dropout: float = 0.0
    patch: int = 128


SMALL = Config(bottlenecks=(1, 1, 1, 1), stem=16, ups=(256, 128, 64, 16, 16))      # 4,411,426 parameters


class Bottleneck(nn.Module):
    """1 x 1, 3 x 3, 1 x 1 beside a shortcut: (B, inputs, H, W) -> (B, 4 width, H / stride, W / stride)."""

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(inputs, width, 1, bias=False), nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3, self.bn3 = nn.Conv2d(width, 4 * width, 1, bias=False), nn.BatchNorm2d(4 * width)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = None
        if stride > 1 or inputs != 4 * width:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, 4 * width, 1, stride=stride, bias=False), nn.BatchNorm2d(4 * width))

    def forward(self, x: Tensor) -> Tensor:
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.relu(self.bn2(self.conv2(y)))
        shortcut = x if self.downsample is None else self.downsample(x)
        return self.relu(self.bn3(self.conv3(y)) + shortcut)


class ResNetEncoder(nn.Module):
    """ResNet without its classifier; parameter names are torchvision's."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(config.channels, config.stem, 7, stride=2, padding=3, bias=False)
        self.bn1, self.relu = nn.BatchNorm2d(config.stem), nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        stem, (one, two, three, four) = config.stem, config.bottlenecks
        self.layer1 = _stage(stem, stem, one, stride=1)
        self.layer2 = _stage(4 * stem, 2 * stem, two, stride=2)
        self.layer3 = _stage(8 * stem, 4 * stem, three, stride=2)
        self.layer4 = _stage(16 * stem, 8 * stem, four, stride=2)

    def forward(self, x: Tensor) -> list[Tensor]:                       # (B, 10, 128, 128)
        levels = [x, self.relu(self.bn1(self.conv1(x)))]                # (B, 64, 64, 64)
        x = self.maxpool(levels[-1])                                    # (B, 64, 32, 32)
        for layer in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = layer(x)                                                # 256@32, 512@16, 1024@8, 2048@4
            levels.append(x)
        return levels


def _stage(inputs: int, width: int, count: int, stride: int) -> nn.Sequential:
    rest = (Bottleneck(4 * width, width, stride=1) for _ in range(count - 1))
    return nn.Sequential(Bottleneck(inputs, width, stride), *rest)


class UpStep(nn.Module):
    """Transposed convolution, ReLU, normalisation; the skip beside it; convolutions. Doubles H and W."""

    def __init__(self, inputs: int, up: int, skip: int, outputs: int, convolutions: int, dropout: float) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(inputs, up, 3, stride=2, padding=1, output_padding=1)
        self.relu, self.norm = nn.ReLU(inplace=True), nn.BatchNorm2d(up)
        layers: list[nn.Module] = []
        for number in range(convolutions):
            layers += [nn.Conv2d(outputs if number else up + skip, outputs, 3, padding=1),
                       nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]
        self.join = nn.Sequential(*layers, nn.Dropout2d(dropout))

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        return self.join(torch.cat([self.norm(self.relu(self.up(x))), skip], dim=1))


class ResNetUNet(nn.Module):
    """(B, channels, H, W) -> (B, classes, H, W) logits; H and W are multiples of 32."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.encoder = ResNetEncoder(config)
        widths = [config.stem * 2**k for k in (5, 4, 3, 2)]                      # 2048, 1024, 512, 256
        skips = [*widths[1:], config.stem, config.channels]
        outputs = [*config.ups[:-1], config.last]
        inputs = [widths[0], *outputs[:-1]]
        self.steps = nn.ModuleList(
            UpStep(*sizes, config.convolutions, config.dropout)
            for sizes in zip(inputs, config.ups, skips, outputs, strict=True))
        self.head = nn.Conv2d(config.last, config.classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        require_multiple(x, 32)
        *skips, x = self.encoder(x)                     # (B, 2048, 4, 4)
        for step, skip in zip(self.steps, reversed(skips), strict=True):
            x = step(x, skip)                           # 1024@8, 512@16, 256@32, 64@64, 16@128
        return self.head(x)                             # (B, 2, 128, 128)


def load_pretrained(network: ResNetUNet, state: Mapping[str, Tensor]) -> list[str]:
    """Copy a torchvision ResNet-50 state dict into the encoder, all but the first convolution and the classifier.

    Gives back the names that were copied. Raises ValueError naming what does not fit.
    """
    own = network.encoder.state_dict()
    wanted = {name for name in own if name != "conv1.weight" and not name.endswith("num_batches_tracked")}
    unfit = sorted(name for name in wanted if name not in state or state[name].shape != own[name].shape)
    if unfit:
        raise ValueError(f"no ResNet-50 weights for this encoder; missing or of another shape: {', '.join(unfit[:5])}")
    network.encoder.load_state_dict({name: state[name] for name in wanted}, strict=False)
    return sorted(wanted)
