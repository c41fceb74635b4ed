"""Samples of each row of a run of images, as one picture: ``python tests/benchmarks/sample_rows.py RUN FILE.svg``.

RUN was made with --save-samples. A line of each row, its first seed's first samples, under the data's own (the oracle).
"""

from __future__ import annotations

import base64
import io
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from ganbench.record.folder import RunFolder
from ganbench.record.record import Record

SHOWN, ZOOM, GAP, LABEL = 24, 4, 1, 170


def tiles(samples: np.ndarray) -> np.ndarray:
    """Grey images from -1 to 1, (n, 1, h, w), side by side: (h + gap, n (w + gap)), 0 to 255."""
    grey = np.round((samples[:, 0].clip(-1, 1) + 1) * 127.5).astype(np.uint8)
    return np.concatenate(np.pad(grey, ((0, 0), (0, GAP), (0, GAP)), constant_values=128), axis=1)


def picture(run: Path) -> str:
    """The picture as SVG, with a PNG inside for each row."""
    lines, top, width = [], 0, 0
    for cell in Record.read(RunFolder.open(run)).cells:
        with np.load(run / "samples" / cell.dataset / cell.variant / f"{cell.seeds[0]}.npz") as file:
            image = tiles(file["samples"][:SHOWN])
        png = io.BytesIO()
        Image.fromarray(image).save(png, "png")
        height, width = ZOOM * image.shape[0], ZOOM * image.shape[1]
        data = base64.b64encode(png.getvalue()).decode()
        lines.append(f'<text x="0" y="{top + height // 2 + 5}">{cell.variant}</text>')
        lines.append(
            f'<image x="{LABEL}" y="{top}" width="{width}" height="{height}" '
            f'style="image-rendering:pixelated" href="data:image/png;base64,{data}"/>'
        )
        top += height
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{LABEL + width}" height="{top}" '
    return "\n".join([head + 'font-family="sans-serif" font-size="14" fill="#777">', *lines, "</svg>"]) + "\n"


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(picture(Path(sys.argv[1])), encoding="utf-8")
