"""Draws the first page of the PDFs in a folder; arguments: it, and that of the
pictures."""

import sys
from pathlib import Path

import pypdfium2

WIDTH = 800
COLOURS = 24


def main(source, target):
    for path in Path(source).glob("layout_*.pdf"):
        page = pypdfium2.PdfDocument(path)[0]
        picture = page.render(scale=WIDTH / page.get_width()).to_pil()
        # Text and lines need few colours, and a page of the manual opens sooner.
        picture = picture.convert("RGB").quantize(COLOURS)
        picture.save(Path(target) / f"{path.stem}.png", optimize=True)


main(*sys.argv[1:])
