"""The pipeline's version: part of every key, so a new version makes every creative anew."""

PIPELINE_VERSION = "0.1.0"
