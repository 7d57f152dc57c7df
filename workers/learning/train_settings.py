"""How a network is taught: the settings of the one training loop."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from workers.learning import schedules


@dataclass(frozen=True)
class TrainSettings:
    """How a network is taught. Defaults are those of the forecasting networks."""

    epochs: int = 40
    batch: int = 100
    lr: float = 1e-4
    weight_decay: float = 0.0
    optimiser: str = "adamw"
    """"adamw" (decoupled decay) or "adam"."""
    beta1: float = 0.9
    schedule: str = "constant"
    """A name of `schedules.SCHEDULES`; the rate is set anew before every step."""
    warmup_steps: int = 0
    """The rate climbs to the schedule's in so many equal steps; 0 = it starts there."""
    clip_value: float | None = 3.0
    """Each gradient value is cut to ± this."""
    validate_every: int | None = None
    """Steps between validations; None = at the end of each epoch."""
    validation_batches: int | None = None
    """Batches looked at in a validation; None = the whole set (Müller 2023 looks at one)."""
    patience: int | None = 5
    """Validations in a row without an improvement of 0.1 % after which a training ends; None = never."""
    teacher_forcing: str = "never"
    """"falling" (from 1 to 0 over three quarters of the epochs), "always" (as published) or "never"."""
    epoch_steps: int | None = None
    """An epoch has so many steps, on a part of the samples or on several rounds of them; None = once through all."""
    max_steps: int | None = None
    """End after so many steps, whatever the epoch."""
    seed: int = 0
    precision: str = "auto"
    """"auto" (bf16 on a GPU that has it), "float32", "bf16" or "fp16". On a CPU always float32; weights always are."""
    channels_last: bool = False
    compile: bool = False
    device: str = "auto"

    def __post_init__(self) -> None:
        for name, known in (("optimiser", ("adam", "adamw")), ("schedule", tuple(schedules.SCHEDULES)),
                            ("teacher_forcing", ("falling", "always", "never")),
                            ("precision", ("auto", "float32", "bf16", "fp16"))):
            if getattr(self, name) not in known:
                raise ValueError(f"{name} is {getattr(self, name)!r}; use one of {', '.join(known)}")
        if min(self.epochs, self.batch) < 1 or not 0 < self.lr < math.inf:
            raise ValueError(f"epochs and batch must be at least 1, lr above 0; got {self.epochs}, {self.batch} and "
                             f"{self.lr}")  # fmt: skip
        for name in ("validate_every", "validation_batches", "patience", "epoch_steps", "max_steps", "clip_value"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ValueError(f"{name} is {value!r}; give a number above 0, or None to go without")
        if min(self.seed, self.warmup_steps, self.weight_decay) < 0:
            raise ValueError("seed, warmup_steps and weight_decay must be 0 or more")

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)
