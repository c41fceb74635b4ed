"""Ten modes in 1,200 dimensions, 500 of them without noise: PacGAN's public code (Lin et al. 2018, arXiv:1712.04086).

After VEEGAN (Srivastava et al. 2017, arXiv:1705.07761), whose own data cannot be had. A mode is one number, in all
coordinates; the first 700 have standard normal noise. So its points are 26 std from its centre, and none within the
10 that the two papers count; and there is no density, since 500 coordinates are the same number.
"""

import torch

from ganbench import Dataset, hookimpl

MODES = (-13, -5.5, -2.5, -2, -1, -0.5, 0, 0.25, 0.5, 10)
DIMENSION, NOISY = 1200, 700


class PacGAN1200D:
    """Samples (n, 1200), float32."""

    shape = (DIMENSION,)

    def sample(self, n, generator):
        device = generator.device
        mode = torch.randint(len(MODES), (n,), generator=generator, device=device)
        centre = torch.tensor(MODES, dtype=torch.float32, device=device)[mode][:, None]
        noisy = centre + torch.randn(n, NOISY, generator=generator, device=device)
        return torch.cat([noisy, centre.expand(n, DIMENSION - NOISY)], dim=1)


@hookimpl
def ganbench_datasets():
    yield Dataset("pacgan-1200d", PacGAN1200D)
