"""Makes a pretrained diffusers checkpoint served as the painter `pretrained`.

    python -m models.export.pretrained --checkpoint DIR|owner/name [--device cuda --dtype bfloat16]

Writes `pretrained/1/weights/card.json` into the model repository: where the checkpoint lies, its family, how it is
called, and the digest of its files, by which the served model is told from any other. The checkpoint itself stays
where it is; a hub id is fetched into the hub's own cache first. Then name the painter in the job's configuration:
`background: {painters: [pretrained, studio]}`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from models.command import told
from models.export.repository import SOURCE
from models.pretrained import family_of, read_index
from transforms.errors import ConfigError

CARD = Path("pretrained") / "1" / "weights" / "card.json"


def folder_of(source: str) -> Path:
    """The folder of a checkpoint, fetched from the hub where `source` is an id.

    Raises:
        ConfigError: there is no such checkpoint, or it is of no known family.
    """
    family_of(read_index(source), source)
    if Path(source).is_dir():
        return Path(source).absolute()
    from huggingface_hub import snapshot_download

    return Path(snapshot_download(source))


def digest_of_files(folder: Path) -> str:
    """SHA-256 over the names and contents of every file below `folder`, hex."""
    whole = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").digest()
        whole.update(hashlib.sha256(str(path.relative_to(folder)).encode()).digest() + content)
    return whole.hexdigest()


def write_pretrained(repository: Path, args: argparse.Namespace) -> Path:
    """Write the card of `args.checkpoint` into `repository`; the card's path.

    Raises:
        ConfigError: see `folder_of`; or `repository` holds no painter `pretrained`.
    """
    path = repository / CARD
    if not path.parents[2].is_dir():
        raise ConfigError(f"{str(repository)!r} holds no model 'pretrained': name a copy of triton_repo")
    folder = folder_of(args.checkpoint)
    card = {
        "checkpoint": str(folder),
        "family": family_of(read_index(str(folder)), str(folder)).name,
        "digest": digest_of_files(folder),
        **{name: getattr(args, name) for name in ("device", "dtype", "steps", "guidance", "negative_prompt")},
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    return path


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m models.export.pretrained", description=__doc__)
    parser.add_argument("--checkpoint", required=True, help="folder that diffusers saved, or a hub id")
    parser.add_argument("--repository", type=Path, default=SOURCE, help="model repository (default %(default)s)")
    parser.add_argument("--device", default="cuda", help="torch's name of it (default %(default)s)")
    parser.add_argument("--dtype", default="bfloat16", help="float32, float16 or bfloat16 (default %(default)s)")
    parser.add_argument("--steps", type=int, help="of denoising; the family's own where not given")
    parser.add_argument("--guidance", type=float, help="the family's own where not given")
    parser.add_argument("--negative_prompt", default="", help="what every picture is kept from")
    args = parser.parse_args(arguments)
    try:
        sys.stdout.write(f"{write_pretrained(args.repository, args)}\n")
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(told(main))
