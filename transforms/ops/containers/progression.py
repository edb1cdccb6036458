"""How far the scans of a progressive JPEG tell its picture (ITU-T T.81, annex G).

Each scan tells a band of coefficients of one or more components down to some bit; the last ones tell the lowest. A file
that lost its last scans, and was ended anew by whatever passed it on, decodes without a word to a blurred picture.
"""

from __future__ import annotations

from collections.abc import Iterable

_COEFFICIENTS = 64
_UNTOLD = 15  # more than any scan leaves out: 13 bits


def lacks_scans(frame: bytes, scans: Iterable[bytes]) -> bool:
    """Whether some coefficient of some component is not told down to its lowest bit.

    Args:
        frame: the payload of the frame's header (SOF2, SOF10).
        scans: the payloads of the scans' headers (SOS), in their order.
    """
    components = [frame[at] for at in range(6, len(frame) - 2, 3)][: frame[5]]
    lowest = {component: [_UNTOLD] * _COEFFICIENTS for component in components}
    for scan in scans:
        count = scan[0] if scan else 0
        if len(scan) < 2 * count + 4:
            continue  # the decoder judges it
        first, last, bits = scan[2 * count + 1 : 2 * count + 4]
        for component in scan[1 : 2 * count + 1 : 2]:
            for place in range(first, min(last, _COEFFICIENTS - 1) + 1):
                lowest.setdefault(component, [_UNTOLD] * _COEFFICIENTS)[place] = bits & 0x0F
    return any(bit for bits in lowest.values() for bit in bits)
