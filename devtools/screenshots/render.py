"""Draws the PDFs in a folder, the pages of each below one another and without their
empty margins; arguments: the folder, and that of the pictures."""

import sys
from pathlib import Path

import pypdfium2
from PIL import Image, ImageOps

WIDTH = 760
MARGIN = 16
COLOURS = 8


def main(source, target):
    for path in Path(source).glob("layout_*.pdf"):
        pages = [draw(page) for page in pypdfium2.PdfDocument(path)]
        picture = Image.new("RGB", (WIDTH, sum(page.height for page in pages)), "white")
        top = 0
        for page in pages:
            picture.paste(page, (0, top))
            top += page.height
        # Text and lines need few colours, and a page of the manual opens sooner.
        picture.quantize(COLOURS).save(Path(target) / f"{path.stem}.png", optimize=True)


def draw(page):
    """Return the page as a picture, cut above and below what is on it."""
    picture = page.render(scale=WIDTH / page.get_width()).to_pil().convert("RGB")
    _left, top, _right, bottom = ImageOps.invert(picture).getbbox()
    return picture.crop((0, max(top - MARGIN, 0), WIDTH, bottom + MARGIN))


main(*sys.argv[1:])
