"""SVG-LP: stochastic video generation with a learned prior, for chips of a moving surface.

Denton and Fergus (2018), Stochastic video generation with a learned prior; encoder and decoder in the layers of DCGAN
(Radford et al. 2016); used on Antarctic ice by Min et al. (2019, IceNet), whose loss weighs the neighbourhood of the
brightest spot more. There is no discriminator. 23,626,753 trainable parameters as published.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d

State = list[tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Config:
    """The published network for chips of 128 x 128 px, one band."""

    widths: tuple[int, ...] = (64, 128, 256, 512, 512)
    """Channels of the encoder's maps, halved in size each time; the last is size / 2^5 = 4 px."""
    size: int = 128
    """Pixels on a side: 4 x 2^levels."""
    code: int = 128
    """Length of the vector h a frame is encoded into, and of the hidden states."""
    latent: int = 128
    """Length of z, what the prior draws."""
    predictor_layers: int = 2
    prior_layers: int = 1
    """Also of the posterior. The document says "2 LSTM layers"; taken as the predictor's."""
    conditioning: int = 8
    """Frames observed."""
    frames: int = 12
    """Frames in a sequence."""
    beta: float = 1e-4
    """Weight of the divergence between posterior and prior."""
    peak: float = 0.5
    """Weight of the neighbourhood of the brightest spot."""
    peak_px: int = 32

    def __post_init__(self) -> None:
        if self.size != 4 * 2 ** len(self.widths):
            raise ValueError(f"size {self.size}: {len(self.widths)} levels need {4 * 2 ** len(self.widths)} px")


SMALL = Config(widths=(16, 32, 64, 128, 128), code=64, latent=16)
DEEP = Config(prior_layers=2)  # two layers everywhere: 23,890,945 parameters


class Encoder(nn.Module):
    """A frame becomes a vector and five maps, which the decoder reads on its way back."""

    def __init__(self, config: Config):
        super().__init__()
        self.blocks = nn.ModuleList(down(a, b) for a, b in pairwise((1, *config.widths)))
        self.last = nn.Sequential(nn.Conv2d(config.widths[-1], config.code, 4), nn.BatchNorm2d(config.code), nn.Tanh())

    def forward(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:       # (B, 1, 128, 128)
        maps = []
        for block in self.blocks:
            x = block(x)                                               # 64, 32, 16, 8, 4 px
            maps.append(x)
        return self.last(x).flatten(1), maps                           # (B, 128)


class Decoder(nn.Module):
    """A vector and five maps become a frame in [0, 1]."""

    def __init__(self, config: Config):
        super().__init__()
        widths = config.widths[::-1]                                   # 512, 512, 256, 128, 64
        self.first = nn.Sequential(nn.ConvTranspose2d(config.code, widths[0], 4), nn.BatchNorm2d(widths[0]),
                                   nn.LeakyReLU(0.2, inplace=True))
        self.blocks = nn.ModuleList(up(2 * a, b) for a, b in pairwise(widths))
        self.last = nn.ConvTranspose2d(2 * widths[-1], 1, 4, stride=2, padding=1)

    def forward(self, code: Tensor, maps: list[Tensor]) -> Tensor:     # (B, 128)
        x = self.first(code[..., None, None])                          # (B, 512, 4, 4)
        for block, skip in zip(self.blocks, maps[:0:-1], strict=True):
            x = block(torch.cat([x, skip], 1))                         # 8, 16, 32, 64 px
        return self.last(torch.cat([x, maps[0]], 1)).sigmoid()         # (B, 1, 128, 128)


def down(channels_in: int, channels: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(channels_in, channels, 4, stride=2, padding=1), nn.BatchNorm2d(channels),
                         nn.LeakyReLU(0.2, inplace=True))


def up(channels_in: int, channels: int) -> nn.Sequential:
    return nn.Sequential(nn.ConvTranspose2d(channels_in, channels, 4, stride=2, padding=1), nn.BatchNorm2d(channels),
                         nn.LeakyReLU(0.2, inplace=True))


class Recurrent(nn.Module):
    """A linear layer and LSTM cells on top of each other; the caller holds the state."""

    def __init__(self, inputs: int, hidden: int, layers: int):
        super().__init__()
        self.embed = nn.Linear(inputs, hidden)
        self.cells = nn.ModuleList(nn.LSTMCell(hidden, hidden) for _ in range(layers))

    def forward(self, x: Tensor, state: State | None) -> tuple[Tensor, State]:   # (B, inputs)
        x, after = self.embed(x), []
        for depth, cell in enumerate(self.cells):
            after.append(cell(x, None if state is None else state[depth]))
            x = after[-1][0]
        return x, after                                                # (B, hidden)


class Predictor(nn.Module):
    """From the code of the present frame and z to the code of the next."""

    def __init__(self, config: Config):
        super().__init__()
        self.lstm = Recurrent(config.code + config.latent, config.code, config.predictor_layers)
        self.out = nn.Sequential(nn.Linear(config.code, config.code), nn.Tanh())

    def forward(self, code: Tensor, z: Tensor, state: State | None) -> tuple[Tensor, State]:
        hidden, state = self.lstm(torch.cat([code, z], 1), state)
        return self.out(hidden), state


class Normal(NamedTuple):
    """A diagonal normal distribution."""

    mean: Tensor
    log_variance: Tensor

    def draw(self) -> Tensor:
        return self.mean + torch.randn_like(self.mean) * (0.5 * self.log_variance).exp()


class GaussianLSTM(nn.Module):
    """Posterior (reads codes up to the next frame) and prior (up to the present one): where z lies."""

    def __init__(self, config: Config):
        super().__init__()
        self.lstm = Recurrent(config.code, config.code, config.prior_layers)
        self.mean = nn.Linear(config.code, config.latent)
        self.log_variance = nn.Linear(config.code, config.latent)

    def forward(self, code: Tensor, state: State | None) -> tuple[Normal, State]:
        hidden, state = self.lstm(code, state)
        return Normal(self.mean(hidden), self.log_variance(hidden)), state


class SVGLP(nn.Module):
    """Training: ``forward`` says frame t from frame t - 1 and what the posterior knows of t. Use: ``generate``."""

    def __init__(self, config: Config = Config()):
        super().__init__()
        self.config = config
        self.encoder, self.decoder = Encoder(config), Decoder(config)
        self.predictor = Predictor(config)
        self.posterior, self.prior = GaussianLSTM(config), GaussianLSTM(config)
        self.apply(as_dcgan)

    def forward(self, frames: Tensor) -> tuple[Tensor, Normal, Normal]:   # (B, T, 128, 128), values 0..1
        """Frames 2..T as predicted (B, T - 1, 128, 128), and posterior and prior of each z (B, T - 1, latent)."""
        codes, maps = self.encode(frames)
        posterior = prior = predictor = None                           # states
        said, posteriors, priors = [], [], []
        for t in range(1, frames.shape[1]):
            q, posterior = self.posterior(codes[:, t], posterior)
            p, prior = self.prior(codes[:, t - 1], prior)
            code, predictor = self.predictor(codes[:, t - 1], q.draw(), predictor)
            observed = min(t, self.config.conditioning) - 1            # the last frame whose maps may be used
            said.append(self.decoder(code, [m[:, observed] for m in maps]))
            posteriors.append(q)
            priors.append(p)
        return torch.cat(said, 1), stacked(posteriors), stacked(priors)

    def encode(self, frames: Tensor) -> tuple[Tensor, list[Tensor]]:   # (B, T, H, W)
        """Codes (B, T, 128) and maps, each (B, T, C, h, w), of all frames at once."""
        codes, maps = self.encoder(frames.flatten(0, 1)[:, None])
        batch = frames.shape[:2]
        return codes.unflatten(0, batch), [m.unflatten(0, batch) for m in maps]

    @torch.no_grad()
    def generate(self, seen: Tensor, leads: int | None = None, samples: int = 10) -> Tensor:
        """Draw what may come after ``seen`` (B, T, 128, 128): (B, samples, leads, 128, 128).

        z comes from the prior once the observed frames end; each frame said is encoded again as the next input. Take
        the mean over the samples, never the best of them.
        """
        leads = leads or self.config.frames - self.config.conditioning
        codes, maps = self.encode(seen)                                # once for all samples
        return torch.stack([self.one_future(codes, [m[:, -1] for m in maps], leads) for _ in range(samples)], 1)

    def one_future(self, codes: Tensor, last_maps: list[Tensor], leads: int) -> Tensor:
        """One draw after codes (B, T, 128) of what was observed; `last_maps` are those of the last observed frame."""
        posterior = prior = predictor = None
        for t in range(1, codes.shape[1]):                             # the states live through what was observed
            q, posterior = self.posterior(codes[:, t], posterior)
            _, prior = self.prior(codes[:, t - 1], prior)
            _, predictor = self.predictor(codes[:, t - 1], q.draw(), predictor)
        code, said = codes[:, -1], []
        for _ in range(leads):
            p, prior = self.prior(code, prior)
            next_code, predictor = self.predictor(code, p.draw(), predictor)
            said.append(self.decoder(next_code, last_maps))
            code, _ = self.encoder(said[-1])
        return torch.cat(said, 1)                                      # (B, leads, 128, 128)


def stacked(normals: list[Normal]) -> Normal:
    return Normal(*(torch.stack(parts, 1) for parts in zip(*normals, strict=True)))


def as_dcgan(module: nn.Module) -> None:
    """Weights N(0, 0.02), batch normalisation N(1, 0.02), no bias (Radford et al. 2016)."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
        nn.init.normal_(module.weight, 0.0, 0.02)
        nn.init.zeros_(module.get_parameter("bias"))
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)


def loss(said: tuple[Tensor, Normal, Normal], frames: Tensor, config: Config) -> Tensor:
    """sum over t of [mean (x' - x)^2 + peak * mean over R_t of (x' - x)^2] + beta * sum of KL(posterior || prior).

    ``said`` is what ``SVGLP.forward`` returned for ``frames`` (B, T, H, W); t = 2..T; the divergence is summed over z
    and averaged over the batch.
    """
    predicted, posterior, prior = said
    truth = frames[:, 1:]
    squares = (predicted - truth) ** 2                                 # (B, T - 1, H, W)
    near = peak_region(truth, config.peak_px)
    whole = squares.mean((0, 2, 3)).sum()
    peak = (squares * near).sum((2, 3)).div(near.sum((2, 3))).mean(0).sum()
    return whole + config.peak * peak + config.beta * divergence(posterior, prior).mean(0).sum()


def divergence(q: Normal, p: Normal) -> Tensor:
    """KL(q || p) of diagonal normals, summed over the last axis."""
    ratio = (q.log_variance - p.log_variance).exp() + (q.mean - p.mean) ** 2 * (-p.log_variance).exp()
    return 0.5 * (p.log_variance - q.log_variance + ratio - 1).sum(-1)


def peak_region(frames: Tensor, side: int, sigma: float = 2.0) -> Tensor:
    """(..., H, W) float mask of the side x side square around the brightest spot of each smoothed frame, shifted to
    stay inside. Decision: the source speaks of a peak area and defines none."""
    height, width = frames.shape[-2:]
    side = min(side, height, width)
    smooth = gaussian(frames.reshape(-1, 1, height, width), sigma).flatten(1).argmax(1)
    top = (smooth // width - side // 2).clamp(0, height - side)
    left = (smooth % width - side // 2).clamp(0, width - side)
    rows, cols = (torch.arange(n, device=frames.device) for n in (height, width))
    in_rows = (rows >= top[:, None]) & (rows < top[:, None] + side)
    in_cols = (cols >= left[:, None]) & (cols < left[:, None] + side)
    return (in_rows[:, :, None] & in_cols[:, None, :]).to(frames.dtype).reshape(frames.shape)


def gaussian(x: Tensor, sigma: float) -> Tensor:                       # (N, 1, H, W)
    reach = int(4 * sigma + 0.5)
    kernel = torch.exp(-0.5 * (torch.arange(-reach, reach + 1, device=x.device) / sigma) ** 2).to(x.dtype)
    kernel = kernel / kernel.sum()
    rows, cols = (mirrored_indices(n, reach, x.device) for n in x.shape[-2:])
    x = conv2d(x[..., rows, :][..., cols], kernel[None, None, None])
    return conv2d(x, kernel[None, None, :, None])


def mirrored_indices(n: int, reach: int, device: torch.device) -> Tensor:
    """0..n - 1 with `reach` more on both sides, mirrored about the edges: (n + 2 reach,). Repeating the edge pixel
    instead would make it count so often that noise has its maxima there."""
    place = torch.arange(-reach, n + reach, device=device) % (2 * n)
    return torch.where(place < n, place, 2 * n - 1 - place)
