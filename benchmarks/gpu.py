"""Throughput of every network on a GPU: `python benchmarks/gpu.py [--seconds 60] [--only NAME ...]`.

Each paper preset is taught and asked for sustained stretches on random data in memory (bf16 autocast, the
recipe's own loss, optimiser, clipping, memory layout and batch). FLOPs are counted (two for a multiply-add), so that
each rate has its share of the device's measured bf16 matrix product. Long jobs are extrapolated from these stretches.
Without CUDA the script says so and ends. On a CPU it only shows that it runs and writes nothing: `--device cpu --small
--batch 4 --seconds 0.1` in a minute; `--batch 1` without `--small` for the paper presets, slowly.
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

    def __init__(self, asked: argparse.Namespace) -> None:
        self.device, self.seconds = torch.device(asked.device), asked.seconds
        self.most, self.compiled = asked.batch, asked.compile
        self.trial = asked.device == "cpu"
        self.preset = "small" if asked.small else "paper"
        self.matmul = self.matmul_rate()

    def sustained(self, step: Callable[[], object], seconds: float | None = None) -> float:
        """Steps a second over at least so many seconds, after three to warm up."""
        for _ in range(1 if self.trial else 3):
            step()
        self.wait()
        began, count = time.perf_counter(), 0
        while time.perf_counter() - began < (seconds or self.seconds):
            for _ in range(1 if self.trial else 5):
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
        side = SMALL_MATMUL if self.trial else MATMUL
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
        if settings.channels_last:
            devices.store_channels_last(network)
        size = min(settings.batch, self.most or settings.batch)
        batch = tuple(self.placed(one, settings.channels_last) for one in drawn(row, config, size))
        optimiser, loss = devices.optimiser_of(network, settings), loss_of(row, name)

        def steps(network: nn.Module) -> tuple[Callable[[], None], Callable[[], None]]:
            teach = self.teaching(network, batch, loss, optimiser, settings.clip_value)
            return teach, self.asking(network, batch, row.task)

        flops = [counted(step) for step in steps(network)]  # before compiling: fused kernels are not counted
        rates = [self.sustained(step) for step in steps(torch.compile(network) if self.compiled else network)]
        shares = [rate * flop / self.matmul for rate, flop in zip(rates, flops, strict=True)]
        side = getattr(config, "patch", getattr(config, "size", 0))
        return Measured(name, size, rates[0] * size, shares[0], rates[1] * size, shares[1], side)

    def placed(self, tensor: Tensor, channels_last: bool) -> Tensor:
        """On the device; images channels-last where the recipe says so."""
        layout = {"memory_format": torch.channels_last} if channels_last and tensor.ndim == 4 else {}
        return tensor.to(self.device, **layout)

    def teaching(self, network: nn.Module, batch: tuple[Tensor, ...], loss: Callable[..., Tensor],
                 optimiser: torch.optim.Optimizer, clip_value: float | None) -> Callable[[], None]:  # fmt: skip
        """One step of the training loop."""

        def step() -> None:
            network.train()
            optimiser.zero_grad(set_to_none=True)
            with self.autocast():
                value = loss(network, batch)
            value.backward()
            if clip_value is not None:
                nn.utils.clip_grad_value_(network.parameters(), clip_value)
            optimiser.step()

        return step

    def asking(self, network: nn.Module, batch: tuple[Tensor, ...], task: str) -> Callable[[], None]:
        """One forward pass of a batch; for video four frames to come after eight."""

        def step() -> None:
            network.eval()
            with torch.no_grad(), self.autocast():  # FLOPs cannot be counted in inference mode
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
    names = [name for name, row in catalog.ARCHITECTURES.items() if row.fit is None]
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--seconds", type=float, default=60, help="of each stretch (60)")
    parser.add_argument("--small", action="store_true", help="small presets: only to see that it runs")
    parser.add_argument("--batch", type=int, help="at most so many samples at once: only to see that it runs")
    parser.add_argument("--compile", action="store_true", help="through torch.compile: printed, not written")
    parser.add_argument("--only", nargs="+", choices=names, metavar="NAME", default=names)
    asked = parser.parse_args()
    if asked.device == "cuda" and not torch.cuda.is_available():
        print("No CUDA device here: nothing measured. --device cpu --small --batch 4 --seconds 0.1 is a trial run.")
        return
    torch.backends.cudnn.benchmark = True  # all batches have one shape
    bench = Bench(asked)
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
    if not (bench.trial or asked.small or asked.batch or asked.compile or asked.only != names):
        write_page("gpu", lines)


if __name__ == "__main__":
    main()
