"""Rings, grids and lines as papers or their public code define them, each named after its source; nothing to set.

"Ring" and "grid" stand for data that differ by a factor of 4 in radius and 25 in std: numbers from one say nothing of
another. Where paper and code disagree, the code is taken, for the published numbers are from it. All are drawn without
end; some sources train on a fixed set of so many points.
"""

import math

from ganbench import Dataset, Mixture, hookimpl

ROOT2 = 1.414  # as the sources round it


def ring(modes, radius, std):
    angles = [2 * math.pi * k / modes for k in range(modes)]
    return Mixture([[radius * math.cos(a), radius * math.sin(a)] for a in angles], std)


def grid(side, spacing, std):
    return Mixture([[x, y] for x in middled(side, spacing) for y in middled(side, spacing)], std)


def middled(n, spacing):
    """So many places on a line, about 0."""
    return [spacing * (k - (n - 1) / 2) for k in range(n)]


def ring_unrolled_7():
    """Ring of 7, one of double weight: the public demo's ``linspace(0, 2 pi, 8)`` (Metz et al. 2017, arXiv:1611.02163).

    Both ends of the circle are among its eight angles. GDPP (Elfeki et al. 2019, arXiv:1812.00068) has the same, in its
    data and in its count of modes, where rounding tells the double mode's halves apart: 8 of 8 for 7.
    """
    seven = ring(7, radius=1.0, std=0.01)
    return Mixture(seven.means, 0.01, weights=[2, 1, 1, 1, 1, 1, 1])


def ring_pacgan():
    """Ring of 8 at radius 1, std 0.01 (PacGAN: Lin et al. 2018, arXiv:1712.04086; and arXiv:2302.14320)."""
    return ring(8, radius=1.0, std=0.01)


def ring_bures():
    """Ring of 8 at radius 2.5, std 0.01 (BuresGAN: De Meulemeester et al. 2021, arXiv:2006.09096)."""
    return ring(8, radius=2.5, std=0.01)


def ring_wgan_gp():
    """Ring of 8, ``8gaussians``: radius 2, std 0.02, over 1.414 (WGAN-GP: Gulrajani et al. 2017, arXiv:1704.00028)."""
    return ring(8, radius=2.0 / ROOT2, std=0.02 / ROOT2)


def ring_ffjord():
    """Ring of 8 that overlap: radius 4 and std 0.5, over 1.414 (FFJORD: Grathwohl et al. 2019, arXiv:1810.01367)."""
    return ring(8, radius=4.0 / ROOT2, std=0.5 / ROOT2)


def ring_presgan():
    """Ring of 10 at radius 3, std 0.05 (PresGAN: Dieng et al. 2019, arXiv:1910.04302)."""
    return ring(10, radius=3.0, std=0.05)


def grid_pacgan():
    """Grid of 5 x 5 at spacing 2, std 0.05 (PacGAN: Lin et al. 2018, arXiv:1712.04086); GDPP and BuresGAN, too."""
    return grid(5, spacing=2.0, std=0.05)


def grid_wgan_gp():
    """Grid, ``25gaussians``: spacing 2 and std 0.05, over 2.828 (WGAN-GP: Gulrajani et al. 2017, arXiv:1704.00028)."""
    return grid(5, spacing=2.0 / 2.828, std=0.05 / 2.828)


def grid_bourgan():
    """Grid of 5 x 5 at spacing 2, std 0.1 (BourGAN: Xiao et al. 2018, arXiv:1805.07674), there 50 points a mode.

    The public code's parameter is called ``sig``, and is the variance: 0.01.
    """
    return grid(5, spacing=2.0, std=0.1)


def grid_particlegan_100():
    """Grid of 10 x 10 at spacing 1, std 0.03 (``grid100`` of ParticleGAN's public code, 2026)."""
    return grid(10, spacing=1.0, std=0.03)


def grid_particlegan_rotated_100():
    """Grid of 10 x 10 at spacing 1, turned by 25 degrees (``rotated100`` of ParticleGAN's public code, 2026)."""
    c, s = math.cos(math.radians(25)), math.sin(math.radians(25))
    return Mixture([[c * x - s * y, s * x + c * y] for x, y in grid_particlegan_100().means], 0.03)


def grid_particlegan_staggered_100():
    """Grid of rows 0.85 apart, shifted by 0.25 to either side (``staggered100`` of ParticleGAN's public code, 2026)."""
    rows = enumerate(middled(10, 0.85))
    return Mixture([[x, y + (0.25 if row % 2 else -0.25)] for row, x in rows for y in middled(10, 1.0)], 0.03)


def line_mad_gan():
    """Five Gaussians on a line, of std 1 to 3, between 10 and 110 (MAD-GAN: Ghosh et al. 2018, arXiv:1704.02906)."""
    return Mixture([[10], [20], [60], [80], [110]], [3, 3, 2, 2, 1])


def line_f_gan():
    """On a line 0.33 N(-1, 0.0625) + 0.67 N(2, 2), variances (f-GAN: Nowozin et al. 2016, arXiv:1606.00709)."""
    return Mixture([[-1], [2]], [0.25, math.sqrt(2)], [0.33, 0.67])


@hookimpl
def ganbench_datasets():
    for preset in (
        ring_unrolled_7,
        ring_pacgan,
        ring_bures,
        ring_wgan_gp,
        ring_ffjord,
        ring_presgan,
        grid_pacgan,
        grid_wgan_gp,
        grid_bourgan,
        grid_particlegan_100,
        grid_particlegan_rotated_100,
        grid_particlegan_staggered_100,
        line_mad_gan,
        line_f_gan,
    ):
        yield Dataset(preset.__name__.replace("_", "-"), preset)
