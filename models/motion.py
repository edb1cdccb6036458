"""A pilot: two seconds of motion out of one picture, by the variant `image_to_motion`.

    python -m models.motion --weights DIR --picture creative.jpg --out clip.mp4 [--move nearer] [--seed 1]
    python -m models.motion --weights DIR --picture creative.jpg --out clip.webp

`--weights` is a folder of `models.export.canvas --variant image_to_motion`. The network paints the frame two seconds
later, small and soft, moved as `--move` says. Only its movement counts: the last frame and those between are drawn
from the picture's own pixels along the flow that was painted, at the picture's own size, and nothing but what the
picture does not show is the network's. The first frame is the picture itself; in all later ones the product moves with
the camera, so **no promise about its pixels holds**: a clip is something to look at and no creative of the job.

Where the flow explains too little of what was painted, is none that a camera makes, stands still or goes another way
than `--move` says, there is no clip: exit code 1, and nothing is written.

`.webp` is an animation that needs nothing else. `.mp4` is H.264 and needs the program `ffmpeg` with an encoder for it:
`libopenh264` (BSD) is preferred where it has several. It is run as a program and never a dependency: no Python package
was found that brings an encoder without GPL parts.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

import cv2
import numpy as np
from PIL import Image

from models.command import told
from models.data.training_set import read_rgb
from models.export.cards import check_files
from models.movement import movement_of, words_of
from models.registry import STRIDE
from models.serving.painter import Painter, load_painter
from transforms.errors import ConfigError, Rejected
from transforms.inference.contracts import bucket_of
from transforms.ops.following import Followed, follow
from transforms.ops.later_frames import frames_between, last_frame
from transforms.records import Pixels, Size

VARIANT = "image_to_motion"
SECONDS, RATE = 2.0, 25
MOST_RESIDUAL, LEAST_MOVED, MOST_BENT, MOST_TORN = 15.0, 0.003, 0.35, 0.02  # see `transforms.ops.following.Followed`
MOVES: tuple[str, ...] = ("leftwards", "to the right", "nearer", "away")
MOVES += tuple(f"{across} and {along}" for across in MOVES[:2] for along in MOVES[2:])
ENCODERS = ("libopenh264", "libx264", "h264_nvenc", "h264_vaapi", "h264_videotoolbox")  # in order of preference


def clip(
    paint: Painter, picture: Pixels, words: str, seed: int, count: int, small: Size | None = None
) -> Iterator[Pixels]:
    """`count` frames from `picture` to two seconds later.

    Args:
        paint: the variant `image_to_motion`.
        picture: uint8 [h, w, 3], sides even.
        words: how the camera moves, as `models.movement.words_of` says it.
        seed: of the later frame.
        count: of frames.
        small: the size at which the network paints; `size_of` the picture where None.

    Raises:
        Rejected: `likely_defect`, see `check_motion`.
    """
    small = small or size_of(Size(*picture.shape[:2]))
    shown = cast(Pixels, cv2.resize(picture, (small.width, small.height), interpolation=cv2.INTER_AREA))
    painted = paint(shown[None], np.full((1, *small), 255, np.uint8), [words], [seed])[0]
    found = follow(paint.coded(shown), painted)
    check_motion(found, words_of(movement_of(shown, last_frame(shown, painted, found.flow))), words)
    return frames_between(picture, last_frame(picture, painted, found.flow), found.flow, count)


def size_of(size: Size) -> Size:
    """Where later frames are painted: half of a candidate's size, in whole cells.

    That is what the network was trained at: larger frames of it move by a smaller share. A flow needs no more.

    >>> size_of(Size(1500, 1000))
    Size(height=304, width=208)
    """
    return Size(*(round(side / 2 / STRIDE) * STRIDE for side in bucket_of(size)))


def check_motion(found: Followed, told: str, asked: str) -> None:
    """Refuse another picture, what stands still, bends, folds, or goes another way.

    Args:
        found: the flow of what was painted.
        told: how the last frame has moved, as `models.movement.words_of` says it.
        asked: how it should have.

    Raises:
        Rejected: `likely_defect`.
    """
    for detail, value, limit, bad in (
        ("what was painted is no later frame of the picture", found.residual, MOST_RESIDUAL, 1),
        ("nothing moves", found.moved, LEAST_MOVED, -1),
        ("what was painted bends as no camera does", found.bent, MOST_BENT, 1),
        ("what was painted folds or tears", found.torn, MOST_TORN, 1),
    ):
        if bad * value > bad * limit:
            raise Rejected("likely_defect", detail, value=value, limit=limit)
    if told != asked:
        raise Rejected("likely_defect", f"{told}, and not as asked")


def write_webp(frames: Iterator[Pixels], target: Path, rate: int = RATE) -> None:
    """Write an animated WebP that plays over and over."""
    first, *others = (Image.fromarray(frame) for frame in frames)
    first.save(target, save_all=True, append_images=others, duration=round(1000 / rate), loop=0, quality=85)


def write_mp4(frames: Iterator[Pixels], target: Path, rate: int = RATE, program: str = "ffmpeg") -> str:
    """Write H.264 in MP4, 4:2:0, ready to be streamed; the encoder's name.

    Raises:
        ConfigError: there is no such program, it encodes no H.264, or it fails.
    """
    encoder = encoder_of(program)
    first = next(frames)
    size, beside = f"{first.shape[1]}x{first.shape[0]}", target.with_suffix(".writing.mp4")
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", size, "-r", str(rate), "-i", "-"]
    coded = ["-c:v", encoder, "-b:v", "6M", "-pix_fmt", "yuv420p", "-movflags", "+faststart", str(beside)]
    whole = b"".join([first.tobytes(), *(frame.tobytes() for frame in frames)])
    done = subprocess.run([program, "-v", "error", "-y", *raw, *coded], input=whole, capture_output=True, check=False)
    if done.returncode:
        beside.unlink(missing_ok=True)
        raise ConfigError(f"{program} with {encoder} failed: {done.stderr.decode(errors='replace').strip()[:500]}")
    beside.replace(target)
    return encoder


def encoder_of(program: str) -> str:
    """The H.264 encoder of an ffmpeg that is taken.

    Raises:
        ConfigError: there is no such program, or it has none.
    """
    remedy = "install an ffmpeg with libopenh264, name it with --ffmpeg, or write .webp"
    try:
        told = subprocess.run([program, "-v", "error", "-encoders"], capture_output=True, check=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise ConfigError(f"H.264 needs the program {program!r}, which cannot be run: {error}", remedy=remedy) from None
    names = {line.split()[1] for line in told.splitlines() if len(line.split()) > 1}
    found = [name for name in ENCODERS if name in names]
    if not found:
        raise ConfigError(f"{program!r} has none of the encoders {', '.join(ENCODERS)}", remedy=remedy)
    return found[0]


def read_picture(path: Path) -> Pixels:
    """A picture without its last row or column where their number is odd: 4:2:0 needs even sides."""
    pixels = read_rgb(path)
    return np.ascontiguousarray(pixels[: pixels.shape[0] // 2 * 2, : pixels.shape[1] // 2 * 2])


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m models.motion", description=__doc__)
    parser.add_argument("--weights", type=Path, required=True, help="folder of the exported variant")
    parser.add_argument("--picture", type=Path, required=True, help="a creative, or any scene")
    parser.add_argument("--out", type=Path, required=True, help="the clip, .mp4 or .webp")
    parser.add_argument("--move", choices=MOVES, default="nearer", help="the camera's way (default %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--ffmpeg", default="ffmpeg", help="the program that encodes .mp4 (default %(default)s)")
    args = parser.parse_args(arguments)
    try:
        variant = check_files(args.weights)["recipe"]["variant"]
        if variant != VARIANT or args.out.suffix not in (".mp4", ".webp"):
            raise ConfigError(f"{variant!r} to {args.out.name!r}: a clip takes {VARIANT} and is .mp4 or .webp")
        picture, words = read_picture(args.picture), f"the camera moves {args.move}"
        frames = clip(load_painter(args.weights, 1), picture, words, args.seed, round(SECONDS * RATE))
        how = write_mp4(frames, args.out, program=args.ffmpeg) if args.out.suffix == ".mp4" else ""
        if not how:
            write_webp(frames, args.out)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n  remedy: {error.remedy}\n")
        return 2
    except Rejected as refused:
        measured = "" if refused.value is None else f" ({refused.value:.4g}, limit {refused.limit:.4g})"
        sys.stderr.write(f"no clip: {refused.detail}{measured}\n")
        return 1
    sys.stdout.write(f"{args.out}: {SECONDS:.0f} s, {RATE} frames a second{', ' if how else ''}{how}\n")
    return 0


if __name__ == "__main__":
    sys.exit(told(main))
