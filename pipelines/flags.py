"""What the text of a flag says; apart from the job's configuration, so that small commands do not load Beam."""

from __future__ import annotations


def listed(text: str) -> tuple[str, ...]:
    """What a flag names, comma separated.

    >>> listed("gpu-1:8001, gpu-2:8001,")
    ('gpu-1:8001', 'gpu-2:8001')
    """
    return tuple(filter(None, (part.strip() for part in text.split(","))))
