"""The load stage: a row's reference to a decoded, oriented sRGB image."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

from transforms.budget import reserve_pixels
from transforms.ops.decode import DecodeLimits, decode
from transforms.records import Job
from transforms.sources.allow import SourcePolicy
from transforms.sources.fetch import fetch
from transforms.stage import StageTransform
from transforms.storage.store import StoreConfig
from transforms.storage.uris import folder_of
from transforms.work import Run


@dataclass
class LoadImages(StageTransform):
    """Fetches and decodes every row's image.

    Attributes:
        sources: what rows may refer to, and how long a fetch may take.
        store: how to reach `s3://`.
        limits: what a source may cost.
    """

    sources: SourcePolicy
    store: StoreConfig
    limits: DecodeLimits = DecodeLimits()
    name: ClassVar[str] = "load"

    def step(self) -> Run:
        """See `StageTransform.step`."""
        return partial(load_job, sources=self.sources, store=self.store, limits=self.limits)


def load_job(job: Job, *, sources: SourcePolicy, store: StoreConfig, limits: DecodeLimits) -> Job:
    """Fill in `image`, once the process's byte budget has room for it, and the resolved `source` among the URIs.

    Raises:
        SourceError: one of its classes for each cause.
    """
    product = job.product
    fetched = fetch(product.image_uri, base_uri=folder_of(product.manifest_uri), policy=sources, store_config=store)
    image = decode(fetched.data, limits, admit=reserve_pixels)
    return replace(job, image=image, uris={**job.uris, "source": fetched.uri})
