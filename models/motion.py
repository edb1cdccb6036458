"""A pilot: two seconds of motion out of one picture, by the variant `image_to_motion`.

    python -m models.motion --weights DIR --picture creative.jpg --out clip.mp4 [--move nearer] [--seed 1]
    python -m models.motion --weights DIR --picture creative.jpg --out clip.webp

`--weights` is a folder of `models.export.canvas --variant image_to_motion`. The network paints the frame two seconds
later at the size of a candidate, moved as `--move` says; the detail that its latents cannot hold is taken from the
picture along the optical flow, and the frames between follow that flow, at the picture's own size. The first frame is
the picture itself; in all later ones the product moves with the camera, so **no promise about its pixels holds**: a
clip is something to look at and no creative of the job.

What is no later frame of the picture, is blurred or stands still is refused with exit code 1 and nothing is written.

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

from models.data.training_set import read_rgb
from models.export.cards import check_files
from models.serving.painter import Painter, load_painter
from transforms.errors import ConfigError, Rejected
from transforms.inference.contracts import bucket_of
from transforms.ops.motion import Followed, drawn, enlarged, flow_of, follow, frames_between
from transforms.records import Pixels, Size

VARIANT = "image_to_motion"
SECONDS, RATE = 2.0, 25
MOST_RESIDUAL, LEAST_MOVED, LEAST_KEPT = 12.0, 0.005, 0.5  # see `transforms.ops.motion.follow`
MOVES: tuple[str, ...] = ("leftwards", "to the right", "nearer", "away")
MOVES += tuple(f"{across} and {along}" for across in MOVES[:2] for along in MOVES[2:])
ENCODERS = ("libopenh264", "libx264", "h264_nvenc", "h264_vaapi", "h264_videotoolbox")  # in order of preference


def clip(
    paint: Painter, picture: Pixels, prompt: str, seed: int, count: int, small: Size | None = None
) -> Iterator[Pixels]:
    """`count` frames from `picture` to what the network paints two seconds later.

    Args:
        paint: the variant `image_to_motion`.
        picture: uint8 [h, w, 3], sides even.
        prompt, seed: of the later frame.
        count: of frames.
        small: the size at which the network paints; a candidate's where None.

    Raises:
        Rejected: `likely_defect`, what was painted is no later frame of the picture, blurred, or nothing moves in it.
    """
    own = Size(*picture.shape[:2])
    small = small or bucket_of(own)
    shown = cast(Pixels, cv2.resize(picture, (small.width, small.height), interpolation=cv2.INTER_AREA))
    later = paint(shown[None], np.full((1, *small), 255, np.uint8), [prompt], [seed])[0]
    coded = paint.coded(shown)
    found = follow(shown, with_detail(later, shown, coded))
    check_motion(found._replace(residual=follow(shown, later).residual))  # of what was painted: detail flatters it
    return frames_between(picture, with_detail(later, picture, coded), count, small)


def with_detail(later: Pixels, picture: Pixels, coded: Pixels) -> Pixels:
    """What was painted at the picture's size, with the detail that pictures lose on their way through latents.

    What the first picture lost is known; it is carried along the flow, as what it belongs to moves.

    Args:
        later: uint8 [h, w, 3], painted.
        picture: uint8 [H, W, 3], whose later frame that is.
        coded: uint8 [h, w, 3], the picture at that size as it comes back from its latents.
    """
    size = Size(*picture.shape[:2])
    base, large = (cv2.resize(each, size[::-1], interpolation=cv2.INTER_CUBIC) for each in (coded, later))
    lost = picture.astype(np.float32) - base
    carried = drawn(lost, enlarged(flow_of(later, coded), size))
    return cast(Pixels, np.clip(np.rint(large + carried), 0, 255).astype(np.uint8))


def check_motion(found: Followed) -> None:
    """Refuse what is another picture, what is only a blurred copy of it, and what stands still.

    Raises:
        Rejected: `likely_defect`.
    """
    if found.residual > MOST_RESIDUAL:
        detail = "what was painted is no later frame of the picture"
        raise Rejected("likely_defect", detail, value=found.residual, limit=MOST_RESIDUAL)
    if found.kept < LEAST_KEPT:
        raise Rejected("likely_defect", "what was painted is blurred", value=found.kept, limit=LEAST_KEPT)
    if found.moved < LEAST_MOVED:
        raise Rejected("likely_defect", "nothing moves", value=found.moved, limit=LEAST_MOVED)


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
        sys.stderr.write(f"no clip: {refused.detail} ({refused.value:.4g}, limit {refused.limit:.4g})\n")
        return 1
    sys.stdout.write(f"{args.out}: {SECONDS:.0f} s, {RATE} frames a second{', ' if how else ''}{how}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
