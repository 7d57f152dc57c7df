"""Throughput of every network on a GPU: `python benchmarks/gpu.py [--seconds 60] [--only NAME ...]`.

Each paper preset is taught and asked for sustained stretches on random data in memory (bf16 autocast, channels-last
where there are images, the recipe's own loss, optimiser and batch). FLOPs are counted (two for a multiply-add), so that
each rate has its share of the device's measured bf16 matrix product. Long jobs are extrapolated from these stretches.
Without CUDA the script says so and ends; `--device cpu --small --seconds 1` only shows that it runs and writes nothing.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from machine import here, write_page
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from workers.learning import catalog, devices, forecast_recipes, mapping_recipes, recipes, video_recipe

IMAGES, SEQUENCES, TRAINING_SEQUENCES = 505_835, 161_728, 116_444
SAR_TILES, TILE_PX = 438, 1000
FORECASTERS = ("lstm", "conv-lstm", "unet", "sa-lstm-h")
MATMUL, SMALL_MATMUL = 8192, 512


@dataclass(frozen=True)
class Measured:
    """One network on one device."""

    name: str
    batch: int
    training: float
    """Samples a second."""
    training_share: float
    """Of the matrix product's rate."""
    inference: float
    inference_share: float
    patch: int


class Bench:
    """A device, its matrix rate, and how long each stretch lasts."""

    def __init__(self, device: str, seconds: float, small: bool) -> None:
        self.device, self.seconds, self.small = torch.device(device), seconds, small
        self.preset = "small" if small else "paper"
        self.matmul = self.matmul_rate()

    def sustained(self, step: Callable[[], object], seconds: float | None = None) -> float:
        """Steps a second over at least so many seconds, after three to warm up."""
        for _ in range(1 if self.small else 3):
            step()
        self.wait()
        began, count = time.perf_counter(), 0
        while time.perf_counter() - began < (seconds or self.seconds):
            for _ in range(1 if self.small else 5):
                step()
                count += 1
            self.wait()
        return count / (time.perf_counter() - began)

    def wait(self) -> None:
        """Until the device has done what it was given."""
        if self.device.type == "cuda":
            torch.cuda.synchronize()

    def matmul_rate(self) -> float:
        """FLOP a second of a square bf16 matrix product."""
        side = SMALL_MATMUL if self.small else MATMUL
        a, b = (torch.randn(side, side, device=self.device, dtype=torch.bfloat16) for _ in range(2))
        return 2 * side**3 * self.sustained(lambda: a @ b, min(self.seconds, 5))

    def autocast(self) -> torch.autocast:
        """bf16, as the recipes are taught on a GPU."""
        return torch.autocast(self.device.type, dtype=torch.bfloat16)

    def measured(self, name: str) -> Measured:
        """Teach and ask one network."""
        row, config = catalog.preset(name, self.preset)
        settings = recipes.defaults(name, self.preset)
        torch.manual_seed(0)
        network = row.build(config).to(self.device)
        size = min(settings.batch, 4) if self.small else settings.batch
        batch = tuple(self.placed(one) for one in drawn(row, config, size))
        if batch[0].ndim == 4 and row.task == "segment":
            network = network.to(memory_format=torch.channels_last)
        optimiser = devices.optimiser_of(network, settings)
        teach, ask = self.teaching(network, batch, loss_of(row, name), optimiser), self.asking(network, batch, row.task)
        flops = [counted(step) for step in (teach, ask)]
        taught, asked = self.sustained(teach), self.sustained(ask)
        shares = [rate * flop / self.matmul for rate, flop in zip((taught, asked), flops, strict=True)]
        side = getattr(config, "patch", getattr(config, "size", 0))
        return Measured(name, size, taught * size, shares[0], asked * size, shares[1], side)

    def placed(self, tensor: Tensor) -> Tensor:
        """On the device; images channels-last."""
        layout = {"memory_format": torch.channels_last} if tensor.ndim == 4 else {}
        return tensor.to(self.device, **layout)

    def teaching(self, network: nn.Module, batch: tuple[Tensor, ...], loss: Callable[..., Tensor],
                 optimiser: torch.optim.Optimizer) -> Callable[[], None]:  # fmt: skip
        """One step of the training loop."""

        def step() -> None:
            network.train()
            optimiser.zero_grad(set_to_none=True)
            with self.autocast():
                value = loss(network, batch)
            value.backward()
            optimiser.step()

        return step

    def asking(self, network: nn.Module, batch: tuple[Tensor, ...], task: str) -> Callable[[], None]:
        """One forward pass of a batch; for video four frames to come after eight."""

        def step() -> None:
            network.eval()
            with torch.inference_mode(), self.autocast():
                if task == "video":
                    network.generate(batch[0][:, :8], samples=1)
                else:
                    network(*batch[:2]) if task == "forecast" else network(batch[0])

        return step


def drawn(row: catalog.Architecture, config: Any, size: int) -> tuple[Tensor, ...]:
    """A random batch (inputs, then truth) of one architecture."""
    shapes = [[size if n == "B" else n for n in shape] for shape in row.inputs(config).values()]
    inputs = [torch.rand(shape) for shape in shapes]
    if row.task == "forecast":
        return (*inputs, torch.rand(size, config.leads, config.patch, config.patch))
    if row.task == "video":
        return (inputs[0],)
    return (inputs[0], (torch.rand(size, *shapes[0][-2:]) > 0.5).float())


def loss_of(row: catalog.Architecture, name: str) -> Callable[..., Tensor]:
    """The loss of the network's recipe."""
    if row.task == "forecast":
        return forecast_recipes.loss_of(name)
    if row.task == "video":
        return video_recipe.loss
    return mapping_recipes.loss_of(mapping_recipes.teaching_of(name, "paper").loss)


def counted(step: Callable[[], None]) -> int:
    """FLOPs of one step: matrix products and convolutions, forward and backward."""
    with FlopCounterMode(display=False) as counter:
        step()
    return counter.get_total_flops()


def line(one: Measured) -> str:
    """One row of the table."""
    return (f"| {one.name} | {one.patch} | {one.batch} | {one.training:,.1f} | {one.training_share:.1%} | "
            f"{one.inference:,.1f} | {one.inference_share:.1%} |")  # fmt: skip


def long_jobs(found: dict[str, Measured]) -> Iterator[str]:
    """What the sustained rates mean for the jobs of the publications."""
    yield "| job | extrapolated |\n| --- | --- |"
    if one := found.get("resnet50-unet"):
        yield f"| {IMAGES:,} images of {one.patch} px through the ResNet-50 U-Net | {hours(IMAGES / one.inference)} |"
    for name in ("sar-3d", "sar-convlstm"):
        if one := found.get(name):
            samples = 150 * SAR_TILES * (TILE_PX // one.patch) ** 2
            yield f"| {name}: 150 epochs of {SAR_TILES} tiles, 15 acquisitions | {hours(samples / one.training)} |"
    for name in FORECASTERS:
        if one := found.get(name):
            whole = recipes.defaults(name, "paper").epochs * TRAINING_SEQUENCES / one.training
            yield (f"| {name}: {SEQUENCES:,} sequences once, taught / asked; its whole recipe | "
                   f"{hours(SEQUENCES / one.training)} / {hours(SEQUENCES / one.inference)}; {hours(whole)} |")


def hours(seconds: float) -> str:
    """Readable at every length."""
    if seconds > 5400:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 60:.1f} min" if seconds > 90 else f"{seconds:.0f} s"


def main() -> None:
    """Measure what was asked for and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [name for name, row in catalog.ARCHITECTURES.items() if row.fit is None and name != "resunet"]
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--seconds", type=float, default=60, help="of each stretch (60)")
    parser.add_argument("--small", action="store_true", help="small presets: only to see that it runs")
    parser.add_argument("--only", nargs="+", choices=names, metavar="NAME", default=names)
    asked = parser.parse_args()
    if asked.device == "cuda" and not torch.cuda.is_available():
        print("No CUDA device here: nothing measured (--device cpu --small --seconds 1 shows that the script runs).")
        return
    bench = Bench(asked.device, asked.seconds, asked.small)
    device = torch.cuda.get_device_name() if asked.device == "cuda" else "CPU, for a trial only"
    lines = [f"# Networks on {device}", "", f"`python benchmarks/gpu.py`: {asked.seconds:g} s of sustained work each, "
             f"bf16 autocast, {bench.preset} presets, random data in memory; bf16 matrix product "
             f"{bench.matmul / 1e12:.2f} TFLOP/s. torch {torch.__version__}. {here()}.", "",
             "| network | px | batch | taught, samples/s | of bf16 | asked, samples/s | of bf16 |",
             "| --- | --- | --- | --- | --- | --- | --- |"]  # fmt: skip
    print("\n".join(lines), flush=True)
    found: dict[str, Measured] = {}
    for name in asked.only:
        try:
            found[name] = bench.measured(name)
            lines.append(line(found[name]))
        except torch.OutOfMemoryError as error:
            lines.append(f"| {name} | | | does not fit: {str(error).splitlines()[0][:80]} | | | |")
        print(lines[-1], flush=True)
    lines += ["", *long_jobs(found)]
    print("\n".join(lines[-8:]))
    if not asked.small:
        write_page("gpu", lines)


if __name__ == "__main__":
    main()
