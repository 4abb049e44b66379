"""A picture as 64 bits that stay nearly the same when it is scaled or compressed. For the child."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

ROWS = COLUMNS = 8


def of(image: "Image.Image") -> str:
    """Return as 16 hexadecimal digits where a picture gets brighter from left to right.

    Source: the difference hash that N. Krawetz described ("Kind of like that", 2013).
    """
    from PIL import Image as images

    if image.mode == "RGBA":
        ground = images.new("RGBA", image.size, "white")
        image = images.alpha_composite(ground, image)
    small = image.convert("L").resize((COLUMNS + 1, ROWS), images.Resampling.BOX)
    grey = small.tobytes()
    bits = 0
    for row in range(ROWS):
        start = row * (COLUMNS + 1)
        for column in range(COLUMNS):
            bits = bits << 1 | (grey[start + column] < grey[start + column + 1])
    return f"{bits:016x}"
