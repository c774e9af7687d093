"""Copy figures of simulations to docs/images, at the size of a screen: ``python docs/figures.py FROM.png TO.png ...``."""

from __future__ import annotations

import sys
from pathlib import Path

WIDTH = 1500  # pixels
LEAST = 6.0  # inches
COLOURS = 256


def shrink(source: Path, target: Path) -> None:
    """Write a figure at most ``WIDTH`` wide, with a palette that keeps the colours of maps.

    What is narrower than ``LEAST`` gets white on its right, so that pages don't blow it up.
    """
    from PIL import Image

    image = Image.open(source).convert("RGB")
    least = round(LEAST * image.info.get("dpi", (0, 0))[0])
    if image.width < least:
        wide = Image.new("RGB", (least, image.height), "white")
        wide.paste(image)
        image = wide
    width = min(image.width, WIDTH)
    small = image.resize((width, round(image.height * width / image.width)), Image.Resampling.LANCZOS)
    small.quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE, kmeans=1).save(target, optimize=True)


if __name__ == "__main__":
    if len(sys.argv) < 3 or len(sys.argv) % 2 == 0:
        sys.exit(__doc__)
    for source, target in zip(sys.argv[1::2], sys.argv[2::2], strict=True):
        shrink(Path(source), Path(target))
