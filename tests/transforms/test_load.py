import pickle
from dataclasses import replace

import numpy as np
import pytest

from tests.strategies import encoded
from transforms.errors import SourceError, SourceNotAllowed, SourceNotFound, TooManyPixels, WrongContent
from transforms.load import LoadImages, load_job
from transforms.ops.decode import DecodeLimits
from transforms.records import Job, Product
from transforms.sources.allow import SourcePolicy
from transforms.storage.store import StoreConfig
from transforms.storage.uris import folder_of

LIMITS = DecodeLimits()
PIXELS = np.random.default_rng(5).integers(0, 256, (20, 30, 3), dtype=np.uint8)


@pytest.fixture
def catalog(tmp_path):
    (tmp_path / "shots").mkdir()
    (tmp_path / "shots" / "a.png").write_bytes(encoded(PIXELS, "PNG"))
    (tmp_path / "shots" / "page.jpg").write_bytes(b"<html>sold out</html>")
    return tmp_path


def load(catalog, uri, limits=LIMITS):
    product = Product(f"{catalog}/tonight.parquet", 0, "shop", "shoe", uri)
    return load_job(Job(product), sources=SourcePolicy(), store=StoreConfig(), limits=limits)


def test_a_relative_reference_is_loaded_from_the_manifests_folder(catalog):
    job = load(catalog, "shots/a.png")
    assert np.array_equal(job.image.pixels, PIXELS)
    assert job.uris["source"].endswith("shots/a.png")


def test_the_digest_is_of_the_files_bytes(catalog):
    import hashlib

    facts = load(catalog, "shots/a.png").image.facts
    data = (catalog / "shots" / "a.png").read_bytes()
    assert facts.digest == hashlib.sha256(data).hexdigest() and facts.byte_size == len(data)


@pytest.mark.parametrize(
    ("uri", "error"),
    [("shots/none.png", SourceNotFound), ("shots/page.jpg", WrongContent), ("/etc/hostname", SourceNotAllowed)],
)
def test_each_unusable_reference_has_its_error(catalog, uri, error):
    with pytest.raises(error) as caught:
        load(catalog, uri)
    assert isinstance(caught.value, SourceError)


def test_the_stages_limits_hold(catalog):
    with pytest.raises(TooManyPixels):
        load(catalog, "shots/a.png", replace(DecodeLimits(), max_pixels=100))


def test_the_step_travels_to_workers(catalog):
    stage = LoadImages(SourcePolicy(), StoreConfig())
    step = pickle.loads(pickle.dumps(stage.step()))
    product = Product(f"{catalog}/tonight.parquet", 0, "shop", "shoe", "shots/a.png")
    assert stage.name == "load" and not stage.per_placement
    assert step(Job(product)).image.size == (20, 30)


def test_the_folder_of_a_manifest():
    assert folder_of("s3://catalog/t/a.parquet") == "s3://catalog/t"
    assert folder_of("/a.parquet") == "/" and folder_of("a.parquet") == "."
