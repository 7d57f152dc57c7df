"""Trainings that do not start from nothing: what fine-tuning changed, and undid elsewhere (Maslov et al. 2023)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from workers.learning import metrics
from workers.learning.samples import SegmentSample
from workers.learning.trained import plain
from workers.learning.weights import Learned
from workers.segmentation import resnet_unet
from workers.segmentation.segment import segment_stack


def before_and_after(start: Learned, tuned: Learned,
                     regions: Mapping[str, Sequence[SegmentSample]]) -> dict[str, dict[str, Any]]:
    """Pooled accuracy of both versions in each region: {region: {"before": ..., "after": ..., "iou_change": ...}}.

    Numbers fit for JSON, None where a region has neither truth nor prediction. Raises MissingBands by name where a
    sample lacks an input.
    """
    return {region: _compared(start, tuned, samples) for region, samples in regions.items() if samples}


def require_fit(start: Learned, architecture: str, preset: str) -> None:
    """Raise ValueError unless `start` is a version of this architecture and preset."""
    own = (start.recipe.architecture, start.recipe.preset)
    if own != (architecture, preset):
        raise ValueError(f"fine-tuning goes on with the same network: the version to start from is {' '.join(own)}, "
                         f"asked for is {architecture} {preset}")


def load_encoder(network: nn.Module, path: Path) -> None:
    """ImageNet weights of a ResNet-50 from a safetensors file with torchvision's names, into all of the encoder but its
    first convolution. Raises ValueError where the network or the file does not fit."""
    if not isinstance(network, resnet_unet.ResNetUNet):
        raise ValueError(f"only the ResNet-50 U-Net takes weights of an encoder, not {type(network).__name__}")
    try:
        state = load_file(path)
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{path.name}: expected ResNet-50 weights as safetensors ({error})") from error
    resnet_unet.load_pretrained(network, state)


def _compared(start: Learned, tuned: Learned, samples: Sequence[SegmentSample]) -> dict[str, Any]:
    before, after = (
        metrics.pooled(metrics.confusion(segment_stack(one.stack, learned), one.truth) for one in samples)
        for learned in (start, tuned)
    )
    return plain({"before": before.to_dict(), "after": after.to_dict(), "iou_change": after.iou - before.iou})
