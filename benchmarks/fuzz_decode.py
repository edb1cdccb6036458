"""Does any damaged file lead to something else than an image or one of our errors?

Mutates real files of every format and mode for a while: bits, lengths, truncation, splices of two files.

    python benchmarks/fuzz_decode.py --seconds 60
"""

from __future__ import annotations

import argparse
import faulthandler
import io
import resource
import struct
import sys
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from transforms.errors import SourceError
from transforms.ops.decode import DecodeLimits, decode
from transforms.ops.encode import EncoderSettings, encode_creative
from transforms.ops.icc import srgb_profile
from transforms.ops.metadata import COMPOSITE, Credits, xmp_packet
from transforms.placements import Placement
from transforms.records import Size

LIMITS = DecodeLimits(max_pixels=4_000_000)
EXTREMES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def seeds() -> list[bytes]:
    """Small sound files of every format, mode, compression and metadata block."""
    rng = np.random.default_rng(0)
    coarse = Image.fromarray(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8))
    picture = coarse.resize((64, 48), Image.Resampling.BICUBIC)
    exif = Image.Exif()
    exif[274], exif[315], exif[33432] = 6, "Ann Ax", "2026"
    blocks = {"exif": exif, "icc_profile": srgb_profile()}
    files = [saved(picture, name, **blocks) for name in ("JPEG", "PNG", "WEBP", "TIFF")]
    files += [saved(picture.convert(mode), "PNG") for mode in ("L", "LA", "RGBA", "P", "1")]
    files += [saved(picture.convert(mode), "JPEG") for mode in ("L", "CMYK")]
    files += [saved(picture, "JPEG", progressive=True, xmp=xmp_packet(Credits("A", "B", COMPOSITE)))]
    files += [saved(picture.quantize(8), "PNG", transparency=bytes(range(8)))]
    files += [saved(picture.convert("RGBA"), "WEBP", lossless=lossless) for lossless in (False, True)]
    files += [saved(picture, "WEBP", save_all=True, append_images=[picture.rotate(90)])]
    files += [saved(picture.quantize(16), "GIF", save_all=True, append_images=[picture.rotate(90)])]
    compressions = ("tiff_lzw", "tiff_adobe_deflate", "jpeg", "packbits")
    files += [saved(picture, "TIFF", compression=name) for name in compressions]
    files += [saved(picture.convert(mode), "TIFF") for mode in ("L", "LAB", "CMYK", "P", "1", "RGBA")]
    files += [saved(picture, "TIFF", big_tiff=True), saved(picture.convert("1"), "TIFF", compression="group4")]
    wide = rng.integers(0, 65536, (24, 32, 3), dtype=np.uint16)
    files += [cv2.imencode(extension, wide)[1].tobytes() for extension in (".png", ".tiff")]
    files += [saved(Image.fromarray(wide[..., 0]), name) for name in ("PNG", "TIFF")]
    pixels = np.asarray(picture.resize((64, 64)))
    credits_ = Credits("Ann", "Bo", COMPOSITE)
    for name in ("jpeg", "png", "webp"):
        placement = Placement("slot", Size(64, 64), file_format=name)
        files.append(encode_creative(pixels, placement, credits_, EncoderSettings()).data)
    return files


def saved(image: Image.Image, file_format: str, **options: object) -> bytes:
    target = io.BytesIO()
    image.save(target, file_format, **options)
    return target.getvalue()


def mutated(rng: np.random.Generator, files: list[bytes]) -> bytes:
    """One of `files` with one to twelve changes; early bytes, where the structure lies, are hit more often."""
    data = bytearray(files[rng.integers(len(files))])
    for _ in range(rng.integers(1, 13)):
        at = int(len(data) * rng.random() ** rng.integers(1, 4)) if data else 0
        kind = rng.integers(6)
        if kind == 0:
            data[at : at + 1] = bytes([rng.integers(256)])
        elif kind == 1:
            order, code = "<>"[rng.integers(2)], "BHI"[rng.integers(3)]
            value = EXTREMES[rng.integers(len(EXTREMES))] & (256 ** struct.calcsize(code) - 1)
            data[at : at + struct.calcsize(code)] = struct.pack(order + code, value)
        elif kind == 2:
            del data[at : at + int(rng.integers(1, 64))]
        elif kind == 3:
            data[at:at] = data[at : at + int(rng.integers(1, 64))]
        elif kind == 4:
            other = files[rng.integers(len(files))]
            start = rng.integers(len(other))
            data[at : at + 32] = other[start : start + int(rng.integers(1, 64))]
        elif rng.random() < 0.3:
            del data[at:]
    return bytes(data)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="folder for the files that crashed")
    arguments = parser.parse_args()
    faulthandler.enable()
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        crashes = fuzz(arguments.seconds, arguments.seed, arguments.keep)
    print(f"warnings={len(warned)} crashes={crashes}")
    for text, count in Counter(str(warning.message) for warning in warned).most_common(5):
        print(f"  warning x{count}: {text}")
    return 1 if crashes or warned else 0


def fuzz(seconds: float, seed: int, keep: Path | None) -> int:
    """Decode damaged files for a while; the number of those that ended in anything but an image or a `SourceError`."""
    rng, files = np.random.default_rng(seed), seeds()
    for data in files:
        decode(data, LIMITS)
    results, crashes, slowest = Counter[str](), 0, 0.0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        data, started = mutated(rng, files), time.perf_counter()
        try:
            decode(data, LIMITS)
            results["image"] += 1
        except SourceError as error:
            results[error.reason] += 1
        except BaseException:
            crashes += 1
            traceback.print_exc()
            if keep:
                (keep / f"crash-{seed}-{crashes}").write_bytes(data)
        slowest = max(slowest, time.perf_counter() - started)
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"files={sum(results.values()) + crashes} {dict(results.most_common())}")
    print(f"slowest_msec={slowest * 1000:.0f} peak_mib={peak_mib}")
    return crashes


if __name__ == "__main__":
    sys.exit(main())
