"""A picture as 28 characters: apps draw them as a blurred preview. For the child process."""

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

# Components across and down: 12 make 28 characters, the usual choice.
COMPONENTS = (4, 3)
SIDE = 24  # pixels that are looked at, each way; more would not be seen in 12 components
_BASE83 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~"


def of(image: "Image.Image") -> str:
    """Describe a picture in 28 characters that apps draw as a blurred preview.

    Source: https://github.com/woltapp/blurhash/blob/master/Algorithm.md
    """
    small = image.convert("RGB").resize((SIDE, SIDE))
    raw = small.tobytes()
    linear = [_to_linear(value) for value in range(256)]
    across, down = COMPONENTS
    side = range(SIDE)
    waves = [
        [math.cos(math.pi * number * at / SIDE) for at in side]
        for number in range(max(across, down))
    ]
    rows = [[[linear[raw[3 * (y * SIDE + x) + c]] for x in side] for c in range(3)] for y in side]
    factors: list[tuple[float, ...]] = []
    for j in range(down):
        for i in range(across):
            weight = (1 if i == j == 0 else 2) / SIDE**2
            wave = waves[i]
            factors.append(
                tuple(
                    weight
                    * sum(waves[j][y] * sum(map(float.__mul__, wave, rows[y][c])) for y in side)
                    for c in range(3)
                )
            )
    constant, *changing = factors
    largest = max(abs(value) for factor in changing for value in factor)
    step = max(0, min(82, math.floor(largest * 166 - 0.5)))
    text = _base83((across - 1) + (down - 1) * 9, 1) + _base83(step, 1)
    red, green, blue = (_to_srgb(value) for value in constant)
    text += _base83((red << 16) + (green << 8) + blue, 4)
    for factor in changing:
        r, g, b = (_quantised(value * 166 / (step + 1)) for value in factor)
        text += _base83((r * 19 + g) * 19 + b, 2)
    return text


def _quantised(value: float) -> int:
    return max(0, min(18, math.floor(math.copysign(math.sqrt(abs(value)), value) * 9 + 9.5)))


def _to_linear(value: int) -> float:
    share = value / 255
    return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4


def _to_srgb(value: float) -> int:
    share = max(0.0, min(1.0, value))
    bent = share * 12.92 if share <= 0.0031308 else 1.055 * share ** (1 / 2.4) - 0.055
    return int(bent * 255 + 0.5)


def _base83(value: int, length: int) -> str:
    return "".join(_BASE83[value // 83**place % 83] for place in range(length - 1, -1, -1))
