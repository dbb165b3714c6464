#!/usr/bin/env python3
"""Writes pictures as Pillow resizes them, for pillow_resize_test.cpp; needs NumPy.

    python3 make_pillow_goldens.py > pillow_12_goldens.txt     (with Pillow up to 12)
    python3 make_pillow_goldens.py > pillow_13_goldens.txt     (with Pillow from 13 on)

From 13 on the height sometimes goes first, which rounds otherwise.
"""
import numpy as np
import PIL
from PIL import Image

FILTERS = ["nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"]
SIZES = [((9, 7), (4, 3)), ((9, 7), (11, 8)), ((9, 7), (9, 3)), ((9, 7), (5, 7)), ((9, 7), (12, 2)),
         ((40, 3), (3, 5)), ((1, 1), (3, 2))]


def picture(width, height, channels):
    """The same as in the test."""
    values = [(x * 37 + y * 91 + c * 53 + x * y * 29 + (x * x + y) * c * 17) % 256
              for y in range(height) for x in range(width) for c in range(channels)]
    return np.array(values, np.uint8).reshape(height, width, channels)


def main():
    print("# Pillow " + PIL.__version__ + ": filter channels width height -> width height: bytes")
    for channels in (1, 3, 4):
        for (width, height), size in SIZES:
            values = picture(width, height, channels)
            image = Image.fromarray(values if channels > 1 else values[..., 0])
            for name in FILTERS:
                resized = image.resize(size, Image.Resampling[name.upper()])
                print(name, channels, width, height, *size, resized.tobytes().hex())


main()
