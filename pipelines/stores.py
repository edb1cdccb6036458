"""The store's flags and what they mean; apart from the job's options, so that small commands do not load Beam."""

from __future__ import annotations

import argparse

from transforms.errors import ConfigError
from transforms.storage.store import StoreConfig


def add_store_options(parser: argparse.ArgumentParser) -> None:
    """The flags of the store, which every command takes."""
    group = parser.add_argument_group("store (credentials come from the usual AWS chain only)")
    add = group.add_argument
    add("--s3_endpoint", default="", help="endpoint URL of an S3-compatible store")
    add("--s3_region", default="", help="region")
    add("--s3_addressing", default="auto", choices=("auto", "path", "virtual"), help="bucket in host name or path")
    add(
        "--s3_checksum",
        default="when_supported",
        choices=("when_supported", "when_required"),
        help="when_required for stores that do not understand CRC32",
    )
    add("--conditional_writes", default="probe", choices=("probe", "yes", "no"), help="If-None-Match of the store")


def store_of(options: argparse.Namespace) -> StoreConfig:
    """How to reach the store.

    Raises:
        ConfigError: the endpoint is no URL.
    """
    endpoint = options.s3_endpoint
    if endpoint and not endpoint.lower().startswith(("http://", "https://")):
        raise ConfigError(f"--s3_endpoint {endpoint}: expected http://host[:port] or https://host[:port]")
    return StoreConfig(
        endpoint_url=endpoint,
        region=options.s3_region,
        addressing=options.s3_addressing,
        checksum=options.s3_checksum,
        conditional_writes=options.conditional_writes,
        max_connections=max(2 * getattr(options, "concurrency", 8), 16),
    )
