"""The catalogue of architectures, written out by hand: the network knows tensors, the catalogue knows names.

`python -m workers.learning.catalog --json` prints every architecture and preset with its parameter count, built on
the meta device (no memory).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from workers.forecasting import conv_lstm, default_forecaster, lstm, sa_lstm, unet
from workers.motion import video
from workers.segmentation import (
    fusion_unet,
    glavitu,
    random_forest,
    resnet_unet,
    sar_conv3d,
    sar_conv_lstm,
    setr,
)  # fmt: skip

Shapes = dict[str, list[Any]]


@dataclass(frozen=True)
class Architecture:
    """One row of the catalogue."""

    name: str
    task: str
    """"segment", "forecast", "sar" or "video"."""
    presets: Mapping[str, Any]
    """Name of the preset -> Config."""
    build: Callable[..., Any]
    """Config -> network; for a forest (Config, **arrays) -> forest."""
    inputs: Callable[[Any], Shapes]
    """Config -> name of each input and its shape; "B" stands for the batch."""
    fit: Callable[..., Any] | None = None
    """How it is taught when not by the one training loop: (pixels, truth, tile, config) -> forest."""

    def trial(self, network: Any) -> np.ndarray:
        """The output on a fixed input of one sample (uniform 0..1, seed 0)."""
        draw = np.random.default_rng(0)
        shapes = [[1 if n == "B" else n for n in shape] for shape in self.inputs(network.config).values()]
        given = [draw.random(shape, dtype=np.float32) for shape in shapes]
        if self.fit is not None:
            return network.predict(*given)
        torch.manual_seed(0)  # a network that draws at random draws the same
        with torch.no_grad():
            output = network.eval()(*(torch.from_numpy(one) for one in given))
        return (output[0] if isinstance(output, tuple) else output).numpy()


def _pixels(config: Any) -> Shapes:
    return {"pixels": ["B", config.channels]}


def _image(config: Any) -> Shapes:
    return {"image": ["B", config.channels, config.patch, config.patch]}


def _series(config: Any) -> Shapes:
    return {"series": ["B", config.acquisitions, config.channels, config.patch, config.patch]}


def _chips(config: Any) -> Shapes:
    return {"chips": ["B", config.frames, config.size, config.size]}


def _frames(config: Any) -> Shapes:
    seen, leads, side = config.frames, config.leads, config.patch
    return {"frames": ["B", seen, side, side], "climatology": ["B", seen + leads, side, side]}


ARCHITECTURES: dict[str, Architecture] = {
    one.name: one
    for one in (
        Architecture("random-forest", "segment",
                     {"paper": random_forest.Config(), "small": random_forest.SMALL},
                     random_forest.PixelForest, _pixels, fit=random_forest.fit),
        Architecture("fusion-unet", "segment", {"paper": fusion_unet.Config(), "small": fusion_unet.SMALL},
                     fusion_unet.FusionUNet, _image),
        Architecture("resunet", "segment", {"paper": fusion_unet.Config(), "small": fusion_unet.SMALL},
                     fusion_unet.FusionUNet, _image),  # the sources give it no other design
        Architecture("setr", "segment", {"paper": setr.Config(), "small": setr.SMALL}, setr.SETR, _image),
        Architecture("glavitu", "segment", {"paper": glavitu.Config(), "small": glavitu.SMALL},
                     glavitu.GlaViTU, _image),
        Architecture("resnet50-unet", "segment", {"paper": resnet_unet.Config(), "small": resnet_unet.SMALL},
                     resnet_unet.ResNetUNet, _image),
        Architecture("sar-3d", "sar", {"paper": sar_conv3d.Config(), "small": sar_conv3d.SMALL},
                     sar_conv3d.SARConv3d, _series),
        Architecture("sar-convlstm", "sar", {"paper": sar_conv_lstm.Config(), "small": sar_conv_lstm.SMALL},
                     sar_conv_lstm.SARConvLSTM, _series),
        Architecture("default-forecaster", "forecast",
                     {"paper": default_forecaster.Config(), "small": default_forecaster.SMALL},
                     default_forecaster.DefaultForecaster, _frames),
        Architecture("lstm", "forecast", {"paper": lstm.Config(), "small": lstm.SMALL}, lstm.LSTM, _frames),
        Architecture("conv-lstm", "forecast",
                     {"paper": conv_lstm.Config(), "wide": conv_lstm.WIDE, "small": conv_lstm.SMALL},
                     conv_lstm.ConvLSTM, _frames),
        Architecture("unet", "forecast", {"paper": unet.Config(), "small": unet.SMALL},
                     unet.UNetForecaster, _frames),
        Architecture("sa-lstm-h", "forecast", {"paper": sa_lstm.Config(), "small": sa_lstm.SMALL},
                     sa_lstm.SALSTM, _frames),
        Architecture("svg-lp", "video", {"paper": video.Config(), "small": video.SMALL}, video.SVGLP, _chips),
    )
}


def preset(name: str, preset_name: str) -> tuple[Architecture, Any]:
    """The architecture and its Config. Raises ValueError naming what there is."""
    if name not in ARCHITECTURES:
        raise ValueError(f"unknown architecture {name!r}; there are {', '.join(ARCHITECTURES)}")
    architecture = ARCHITECTURES[name]
    if preset_name not in architecture.presets:
        raise ValueError(f"{name} has no preset {preset_name!r}; it has {', '.join(architecture.presets)}")
    return architecture, architecture.presets[preset_name]


def trainable_parameters(architecture: Architecture, config: Any) -> int | None:
    """Counted on the meta device; None for a forest, which has nodes and no fixed number of them."""
    if architecture.fit is not None:
        return None
    with torch.device("meta"):
        network = architecture.build(config)
    return sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)


def rows() -> list[dict[str, Any]]:
    """[{name, preset, task, inputs, trainable_parameters}], one row a preset."""
    return [
        {"name": one.name, "preset": name, "task": one.task, "inputs": one.inputs(config),
         "trainable_parameters": trainable_parameters(one, config)}
        for one in ARCHITECTURES.values()
        for name, config in one.presets.items()
    ]


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m workers.learning.catalog", description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print a JSON array instead of a table")
    if parser.parse_args().json:
        print(json.dumps(rows(), indent=2))
        return
    for row in rows():
        count = "-" if row["trainable_parameters"] is None else f"{row['trainable_parameters']:,}"
        print(f"{row['name']:20} {row['preset']:8} {row['task']:9} {count:>13}")


if __name__ == "__main__":
    main()
