import hashlib
import pickle
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from tests.strategies import encoded
from transforms.errors import Rejected
from transforms.ops.decode import DecodeLimits, decode
from transforms.ops.encode import EncoderSettings, decode_evidence
from transforms.ops.encoded import EncodedLimits, read_metadata
from transforms.ops.metadata import COMPOSITE, COMPOSITE_SYNTHETIC, COMPOSITE_WITH_TRAINED
from transforms.placements import Placement
from transforms.records import Job, Product, Scene, Size, SourceFacts
from transforms.storage.store import StoreConfig
from transforms.write import WriteCreatives, credits_of, encode_faithfully, write_job

KEY = "0123456789abcdef0123456789abcdef"
FACTS = SourceFacts("d", 1, "jpeg", "RGB", artist="Ann Ax", copyright="© Ann Ax")


def job_of(**fields):
    coarse = np.random.default_rng(2).integers(0, 256, (8, 6, 3), dtype=np.uint8)
    pixels = np.asarray(Image.fromarray(coarse).resize((96, 128), Image.Resampling.BICUBIC))
    core, mask = np.zeros((128, 96), bool), np.zeros((128, 96), bool)
    mask[20:100, 20:80], core[22:98, 22:78] = True, True
    image = decode(encoded(pixels, "PNG"), DecodeLimits())
    image = replace(image, facts=replace(image.facts, artist=FACTS.artist, copyright=FACTS.copyright))
    job = Job(
        Product("m.parquet", 0, "shop/ü", "..", "a.png"),
        image=image,
        task="background",
        placement=Placement("slot", Size(128, 96)),
        scene=Scene(pixels, core, mask, mask),
        content_key=KEY,
        uris={"painter": "studio"},
    )
    return replace(job, **fields)


def write(tmp_path, job, **settings):
    return write_job(
        job,
        output=str(tmp_path),
        store=StoreConfig(),
        encoder=settings.get("encoder", EncoderSettings()),
        limits=settings.get("limits", EncodedLimits()),
    )


def test_creative_and_evidence_lie_under_encoded_ids_and_the_key(tmp_path):
    job = write(tmp_path, job_of())
    folder = "shop%2F%C3%BC/%2E%2E"
    creative = tmp_path / "creatives" / folder / f"slot-{KEY}.jpg"
    evidence = tmp_path / "evidence" / folder / f"slot-{KEY}.png"
    assert job.creative.uri == job.uris["creative"] == str(creative) and job.uris["evidence"] == str(evidence)
    assert creative.read_bytes() == job.creative.data
    assert job.creative.digest == hashlib.sha256(creative.read_bytes()).hexdigest()
    levels = decode_evidence(evidence.read_bytes())
    assert np.array_equal(levels == 255, job.scene.core) and np.array_equal(levels > 0, job.scene.mask)


def test_the_file_carries_label_and_credits_and_the_job_its_measures(tmp_path):
    job = write(tmp_path, job_of())
    written = read_metadata(job.creative.data)
    assert (written.artist, written.copyright) == ("Ann Ax", "© Ann Ax")
    assert written.digital_source_type == job.uris["label"] == COMPOSITE
    assert job.scores["encoded_bytes"] == len(job.creative.data)
    assert job.scores["encoded_colour_difference_mean"] < 2.3


def test_a_second_writer_leaves_the_first_file_and_tells_its_digest(tmp_path):
    first = write(tmp_path, job_of())
    second = write(tmp_path, job_of(), encoder=EncoderSettings(jpeg_quality=80))
    assert second.creative.data != first.creative.data
    assert second.creative.digest == first.creative.digest
    files = [path for path in (tmp_path / "creatives").rglob("*") if path.is_file()]
    assert [path.read_bytes() for path in files] == [first.creative.data]


def test_nothing_is_stored_of_a_rejected_file(tmp_path):
    with pytest.raises(Rejected, match="colour difference"):
        write(tmp_path, job_of(), limits=EncodedLimits(max_mean_colour_difference=0.001))
    with pytest.raises(Rejected) as caught:
        write(tmp_path, job_of(placement=Placement("slot", Size(128, 96), max_bytes=900)))
    assert caught.value.reason == "bytes"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("file_format", "extension"), [("png", "png"), ("webp", "webp")])
def test_the_placement_chooses_the_format(tmp_path, file_format, extension):
    placement = Placement("slot", Size(128, 96), file_format=file_format)
    job = write(tmp_path, job_of(placement=placement), limits=EncodedLimits(9, 60))
    assert job.creative.uri.endswith(f".{extension}")
    assert decode(job.creative.data, DecodeLimits()).facts.file_format == file_format


@pytest.mark.parametrize(
    ("painter", "source", "label"),
    [
        ("studio", "", COMPOSITE),
        ("patchmatch", "", COMPOSITE),
        ("patchmatch", COMPOSITE_WITH_TRAINED, COMPOSITE_SYNTHETIC),
        ("canvas", "", COMPOSITE_WITH_TRAINED),
        ("", "", COMPOSITE_WITH_TRAINED),
    ],
)
def test_whatever_is_not_known_as_procedural_is_labelled_as_trained(painter, source, label):
    assert credits_of(replace(FACTS, digital_source_type=source), painter=painter).digital_source_type == label


def test_the_step_travels_to_workers(tmp_path):
    stage = WriteCreatives(str(tmp_path), StoreConfig())
    step = pickle.loads(pickle.dumps(stage.step()))
    assert stage.name == "write" and stage.per_placement
    assert step(job_of()).creative.uri


def test_a_small_product_whose_colours_suffer_is_not_hidden_by_the_rest():
    job = job_of()
    small = np.zeros((128, 96), bool)
    small[40:56, 40:56] = True
    pixels = job.scene.pixels.copy()
    pixels[small] = np.random.default_rng(3).integers(0, 256, (256, 3), dtype=np.uint8)
    scene, limits = replace(job.scene, pixels=pixels), EncodedLimits()
    encoder, credits_ = EncoderSettings(finer=(99,)), credits_of(FACTS, painter="studio")
    whole, _ = encode_faithfully(scene, job.placement, credits_, encoder, limits)
    part = replace(scene, core=small, mask=small, kept=small)
    finer, _ = encode_faithfully(scene, job.placement, credits_, encoder, limits, [scene, part])
    assert (whole.quality, finer.quality) == (92, 99)


def test_colours_that_suffer_are_encoded_finer(tmp_path):
    noise = np.random.default_rng(3).integers(0, 256, (128, 96, 3), dtype=np.uint8)
    job = job_of(scene=replace(job_of().scene, pixels=noise))
    coarse = EncoderSettings(jpeg_quality=60, finer=())
    with pytest.raises(Rejected) as refusal:
        write(tmp_path, job, encoder=coarse)
    assert refusal.value.reason == "encoding_loss"
    assert refusal.value.value > refusal.value.limit
    finer = write(tmp_path, job, encoder=EncoderSettings(jpeg_quality=60, finer=(80, 99)))
    assert finer.creative.quality == 99
