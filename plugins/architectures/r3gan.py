"""R3GAN (Huang et al. 2024, arXiv:2501.05441, section 4): residual blocks of grouped convolutions, without any norm.

Each block: 1 x 1 convolution to ``expansion`` times the channels, 3 x 3 in groups of ``group`` channels, 1 x 1 back;
biases and leaky ReLU (0.2) between. Fix-up: the last layer of a block starts at 0, the others are scaled by (blocks in
the network)^(-1/4). Resampling is bilinear. The latent scales a learned map of 4 to 7 pixels, and the discriminator
weighs such a map. Square images of 8 pixels and more; ``channels`` is 768 in the paper, with two ``blocks`` a size.
Parameters on digits: G 24,080, D 23,072; CIFAR-10: G 46,896, D 45,888; the paper's (table 9): G 20.73M, D 20.68M.
"""

from itertools import pairwise

from pydantic import PositiveInt
from torch import eye, nn, randn
from torch.nn.functional import interpolate

from ganbench import Architecture, Networks, hookimpl
from ganbench.nn.layers import halvings

#: What keeps a variance through a leaky ReLU of slope 0.2 (He et al. 2015, arXiv:1502.01852, equation 15).
GAIN = (2 / (1 + 0.2**2)) ** 0.5


class Block(nn.Module):
    """x + three convolutions of x."""

    def __init__(self, channels, inside, group, scale):
        super().__init__()
        self.residual = nn.Sequential(
            conv(channels, inside, 1, GAIN * scale, bias=True),
            nn.LeakyReLU(0.2),
            conv(inside, inside, 3, GAIN * scale, bias=True, groups=inside // group),
            nn.LeakyReLU(0.2),
            conv(inside, channels, 1, 0.0),
        )

    def forward(self, x):
        return x + self.residual(x)


class Resample(nn.Module):
    """Bilinear, and smoothed where it shrinks: [1 3 3 1] / 8 for a half; as a matrix, which batches well."""

    def __init__(self, before, after):
        super().__init__()
        shares = interpolate(eye(before)[None, None], (after, before), mode="bilinear", antialias=True)
        self.register_buffer("shares", shares[0, 0])

    def forward(self, x):
        return self.shares @ x @ self.shares.T


class Draw(nn.Module):
    """A learned map of pixels for each channel, scaled by what comes in: (batch, channels) to maps."""

    def __init__(self, channels, size):
        super().__init__()
        self.maps = nn.Parameter(randn(channels, size, size))

    def forward(self, gains):
        return self.maps * gains[..., None, None]


class Weigh(nn.Module):
    """The weighted sum of each channel's pixels, which is a convolution of each with a map of its own size."""

    def __init__(self, channels, size):
        super().__init__()
        self.maps = nn.Parameter(randn(channels, size, size) / size)

    def forward(self, x):
        return (self.maps * x).sum((-2, -1))


def conv(inputs, outputs, size, gain=1.0, *, bias=False, groups=1):
    layer = nn.Conv2d(inputs, outputs, size, padding=size // 2, groups=groups, bias=bias)
    nn.init.normal_(layer.weight, std=gain / layer.weight[0].numel() ** 0.5)
    if bias:
        nn.init.zeros_(layer.bias)
    return layer


def linear(inputs, outputs):
    layer = nn.Linear(inputs, outputs, bias=False)
    nn.init.normal_(layer.weight, std=inputs**-0.5)
    return layer


def r3gan(
    shape,
    *,
    channels: PositiveInt = 16,
    latent: PositiveInt = 64,
    blocks: PositiveInt = 2,
    expansion: PositiveInt = 2,
    group: PositiveInt = 16,
):
    sizes = halvings("r3gan", shape)
    inside = channels * expansion
    if inside % group:
        raise ValueError(f"group must divide channels * expansion, {inside}, into whole groups")
    scale = (blocks * len(sizes)) ** -0.25

    def stage():
        return [Block(channels, inside, group, scale) for _ in range(blocks)]

    ups, downs = stage(), stage()
    for large, small in pairwise(sizes):
        ups[:0] = [*stage(), Resample(small, large)]
        downs += [Resample(large, small), *stage()]
    return Networks(
        nn.Sequential(linear(latent, channels), Draw(channels, sizes[-1]), *ups, conv(channels, shape[0], 1)),
        nn.Sequential(conv(shape[0], channels, 1), *downs, Weigh(channels, sizes[-1]), linear(channels, 1)),
        (latent,),
    )


@hookimpl
def ganbench_architectures():
    yield Architecture("r3gan", r3gan)
