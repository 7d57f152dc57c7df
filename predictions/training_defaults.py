"""What a training starts from when nobody says otherwise: one row for each architecture and preset.

The web half may not import the machine room, so the recipes' figures are written down here once more for the form;
tests/predictions/test_training_defaults.py compares them with the recipes.

Paper presets: epochs, learning rates and batches of the publications (Müller 2023 for the forecasters; Maslov et al.
2023 for the fusion networks; Waismann et al. for the ResNet-50 U-Net, whose published rate of 1e-5 holds for a
pretrained encoder, so that training from scratch starts at 1e-3). Small presets: minutes on two CPU cores.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class TrainingDefaults:
    """One row: None where the architecture has no such thing (a forest has no epochs)."""

    epochs: int | None
    lr: float | None
    batch: int | None


FOREST = TrainingDefaults(None, None, None)

TASKS: dict[str, str] = {
    "random-forest": "segment",
    "fusion-unet": "segment",
    "resunet": "segment",
    "setr": "segment",
    "glavitu": "segment",
    "resnet50-unet": "segment",
    "sar-3d": "sar",
    "sar-convlstm": "sar",
    "default-forecaster": "forecast",
    "lstm": "forecast",
    "conv-lstm": "forecast",
    "unet": "forecast",
    "sa-lstm-h": "forecast",
    "svg-lp": "video",
}

DEFAULTS: dict[str, dict[str, TrainingDefaults]] = {
    "random-forest": {"small": FOREST, "paper": FOREST},
    "fusion-unet": {"small": TrainingDefaults(10, 3e-3, 8), "paper": TrainingDefaults(150, 5e-4, 8)},
    "resunet": {"small": TrainingDefaults(10, 3e-3, 8), "paper": TrainingDefaults(150, 5e-4, 8)},
    "setr": {"small": TrainingDefaults(10, 5e-4, 8), "paper": TrainingDefaults(150, 5e-4, 8)},
    "glavitu": {"small": TrainingDefaults(10, 5e-4, 8), "paper": TrainingDefaults(150, 5e-4, 8)},
    "resnet50-unet": {"small": TrainingDefaults(10, 3e-3, 8), "paper": TrainingDefaults(60, 1e-3, 32)},
    "sar-3d": {"small": TrainingDefaults(10, 5e-4, 4), "paper": TrainingDefaults(150, 5e-4, 8)},
    "sar-convlstm": {"small": TrainingDefaults(10, 5e-4, 4), "paper": TrainingDefaults(150, 5e-4, 8)},
    "default-forecaster": {"small": TrainingDefaults(40, 3e-3, 16), "paper": TrainingDefaults(40, 1e-3, 32)},
    "lstm": {"small": TrainingDefaults(40, 5e-4, 32), "paper": TrainingDefaults(40, 1e-4, 100)},
    "conv-lstm": {
        "small": TrainingDefaults(35, 2e-3, 32),
        "paper": TrainingDefaults(35, 1e-4, 100),
        "wide": TrainingDefaults(35, 1e-4, 100),
    },
    "unet": {"small": TrainingDefaults(20, 1e-3, 32), "paper": TrainingDefaults(20, 1e-3, 100)},
    "sa-lstm-h": {"small": TrainingDefaults(40, 5e-4, 32), "paper": TrainingDefaults(40, 1e-4, 100)},
    "svg-lp": {"small": TrainingDefaults(10, 2e-3, 8), "paper": TrainingDefaults(100, 2e-3, 100)},
}

SPLITS: dict[str, tuple[str, ...]] = {
    "segment": ("years",),
    "sar": ("years",),
    "forecast": ("purged", "spatial"),
    "video": ("purged",),
}
"""Kinds of split by task; the first is the default. "years" holds whole years of truth out."""


def going_on(architecture: str, preset: str) -> TrainingDefaults:
    """The row of a training that goes on from the weights of a version: fine-tuning as published (Maslov et al. 2023),
    the published rate of a pretrained encoder for the ResNet-50 U-Net, a tenth of its own rate for all others."""
    usual = DEFAULTS[architecture][preset]
    if usual.lr is None:
        return usual
    if preset == "small" or TASKS[architecture] != "segment":
        return replace(usual, lr=usual.lr / 10)
    return replace(usual, lr=1e-5) if architecture == "resnet50-unet" else replace(usual, epochs=80, lr=5e-5)
