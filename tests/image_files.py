"""Image files for tests, made as their writers make them."""

import io
import zlib

import numpy as np

from transforms.ops.icc import srgb_profile

NOISE = np.random.default_rng(7).integers(0, 256, (24, 32, 3), dtype=np.uint8)


def saved(image, file_format, **options):
    target = io.BytesIO()
    image.save(target, file_format, **options)
    return target.getvalue()


def smooth(size=64):
    ramp = np.linspace(20, 230, size)
    return np.stack(np.broadcast_arrays(ramp[:, None], ramp[None], ramp[::-1, None]), axis=2).astype(np.uint8)


def png_chunk(kind, payload):
    return len(payload).to_bytes(4, "big") + kind + payload + zlib.crc32(kind + payload).to_bytes(4, "big")


def swapped_profile():
    """A profile whose red and green primaries are exchanged: a conversion that nobody can overlook."""
    profile = bytearray(srgb_profile())
    for index in range(int.from_bytes(profile[128:132], "big")):
        entry = profile[132 + 12 * index : 144 + 12 * index]
        if entry[:4] in (b"rXYZ", b"gXYZ"):
            profile[132 + 12 * index : 136 + 12 * index] = b"gXYZ" if entry[:4] == b"rXYZ" else b"rXYZ"
    return bytes(profile)
