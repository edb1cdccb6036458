import io
import struct
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, TiffImagePlugin
from PIL.PngImagePlugin import PngInfo

from transforms.ops.containers.container import Container
from transforms.ops.decode import DecodeLimits, decode
from transforms.ops.metadata import (
    COMPOSITE,
    COMPOSITE_SYNTHETIC,
    COMPOSITE_WITH_TRAINED,
    Credits,
    exif_block,
    from_exif,
    from_iptc,
    from_xmp,
    iptc_block,
    orientation_of,
    source_type,
    xmp_packet,
)
from transforms.records import Size

TRAINED = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
names = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=20)


@given(names, names)
def test_credits_survive_xmp_exif_and_iptc(artist, notice):
    written = Credits(artist, notice, COMPOSITE)
    assert from_xmp(xmp_packet(written)) == written
    assert from_exif(exif_block(written)) == Credits(artist, notice)
    read = from_iptc(iptc_block(written))
    assert artist.startswith(read.artist) and notice.startswith(read.copyright) and read.artist and read.copyright


def test_nothing_is_written_where_nothing_is_known():
    assert exif_block(Credits()) == iptc_block(Credits()) == b""
    assert from_xmp(xmp_packet(Credits())) == Credits()


def test_pillow_reads_the_exif_block():
    exif = Image.Exif()
    exif.load(exif_block(Credits("Ann", "© Bo")))
    assert exif[315] == "Ann" and set(exif) == {315, 33432}


def test_the_label_says_who_painted():
    assert source_type(trained=True) == COMPOSITE_WITH_TRAINED
    assert source_type(trained=False) == source_type(trained=False, source="https://example.com") == COMPOSITE


@pytest.mark.parametrize("uri", [TRAINED, TRAINED.replace("http:", "https:"), f" {COMPOSITE_WITH_TRAINED} "])
def test_a_generated_source_stays_labelled_as_generated(uri):
    assert source_type(trained=False, source=uri) == COMPOSITE_SYNTHETIC


def test_a_label_written_as_an_attribute_or_a_resource_is_read():
    head = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    space = 'xmlns:e="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
    tail = "</rdf:RDF></x:xmpmeta>"
    attribute = f'{head}<rdf:Description {space} e:DigitalSourceType="{TRAINED}"/>{tail}'
    resource = f'{head}<rdf:Description {space}><e:DigitalSourceType rdf:resource="{TRAINED}"/></rdf:Description>{tail}'
    assert from_xmp(attribute.encode()).digital_source_type == TRAINED
    assert from_xmp(resource.encode()).digital_source_type == TRAINED


def test_a_comment_in_a_packet_hides_nothing():
    packet = xmp_packet(Credits("Ann", "Bo", TRAINED)).replace(b"<rdf:li>", b"<rdf:li><!-- the author -->", 1)
    assert from_xmp(packet) == Credits("Ann", "Bo", TRAINED)


@pytest.mark.parametrize(
    "text",
    ["Zo\xeb & D\u2019Arc \u2013 \u20ac 5".encode(code) for code in ("utf-8", "cp1252")],
    ids=["utf-8", "cp1252"],
)
def test_names_of_windows_programs_are_read(text):
    head = b"II*\x00\x08\x00\x00\x00\x01\x00" + struct.pack("<HHII", 315, 2, len(text), 26) + bytes(4)
    assert from_exif(head + text).artist == "Zo\xeb & D\u2019Arc \u2013 \u20ac 5"
    assert (
        from_iptc(b"\x1c\x02\x50" + len(text).to_bytes(2, "big") + text).artist == "Zo\xeb & D\u2019Arc \u2013 \u20ac 5"
    )


@pytest.mark.parametrize("swapped", [False, True])
def test_iptc_of_a_tiff_that_wrote_it_as_numbers_is_read(swapped):
    datasets = iptc_block(Credits("Ann Ax", "2026 Ann Ax"))
    datasets += bytes(-len(datasets) % 4)
    if swapped:
        datasets = b"".join(datasets[at : at + 4][::-1] for at in range(0, len(datasets), 4))
    info = TiffImagePlugin.ImageFileDirectory_v2()
    info.tagtype[33723], info[33723] = 7, datasets
    target = io.BytesIO()
    Image.new("RGB", (8, 8)).save(target, "TIFF", tiffinfo=info)
    as_bytes, as_numbers = (struct.pack("<HHI", 33723, kind, len(datasets) // size) for kind, size in ((7, 1), (4, 4)))
    assert as_bytes in target.getvalue()
    facts = decode(target.getvalue().replace(as_bytes, as_numbers), DecodeLimits()).facts
    assert (facts.artist, facts.copyright) == ("Ann Ax", "2026 Ann Ax")


@pytest.mark.parametrize(
    "packet",
    [
        b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
        "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>".encode("utf-16"),
        b"<a>" * 50_000,
        b"not xml",
        b"<a/>" * 300_000,
    ],
)
def test_hostile_packets_are_ignored(packet):
    assert from_xmp(packet) == Credits()


def test_properties_within_properties_are_not_read_over_and_over():
    spaces = b'xmlns:d="http://purl.org/dc/elements/1.1/" xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
    nested = b"<d:creator>" * 2000 + b"<r:li>x</r:li>" * 5000 + b"</d:creator>" * 2000
    started = time.thread_time()
    assert len(from_xmp(b"<a " + spaces + b">" + nested + b"</a>").artist) <= 500
    assert time.thread_time() - started < 5


def test_empty_names_are_no_names_and_endless_ones_none():
    empty, name = b"\x1c\x02\x50\x00\x00", b"\x1c\x02\x50\x00\x03Ann"
    assert from_iptc(empty * 3).artist == "" and from_iptc(empty + name + name).artist == "Ann; Ann"
    head = b"II*\x00\x08\x00\x00\x00\x01\x00" + struct.pack("<HHII", 315, 2, 100_000, 26) + bytes(4)
    assert from_exif(head + b"x" * 100_000) == Credits()


@given(st.binary(max_size=200))
def test_random_blocks_give_some_credits_and_never_fail(block):
    for reading in (from_xmp(block), from_iptc(b"\x1c\x02" + block), from_exif(b"II*\x00\x08\x00\x00\x00" + block)):
        assert isinstance(reading.artist, str) and len(reading.artist) <= 500
    assert 1 <= orientation_of(Container("jpeg", Size(1, 1), b"", exif=b"MM\x00*" + block)) <= 8


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_creator_and_notice_of_every_format_are_read(file_format):
    exif = Image.Exif()
    exif[315], exif[33432] = "Ann Ax", "2026 Ann Ax"
    target = io.BytesIO()
    Image.new("RGB", (8, 8)).save(target, file_format, exif=exif)
    facts = decode(target.getvalue(), DecodeLimits()).facts
    assert (facts.artist, facts.copyright) == ("Ann Ax", "2026 Ann Ax")


@pytest.mark.parametrize("kind", ["tEXt", "zTXt", "iTXt", "zipped iTXt"])
def test_the_text_of_a_png_is_read_where_nothing_else_tells(kind):
    told, target = PngInfo(), io.BytesIO()
    for name, text in (("Title", "Vase"), ("Author", "Zoë Ax"), ("Copyright", "2026 Zoë Ax")):
        if "iTXt" in kind:
            told.add_itxt(name, text, zip=kind != "iTXt")
        else:
            told.add_text(name, text, zip=kind == "zTXt")
    exif = Image.Exif()
    exif[33432] = "Notice"
    Image.new("RGB", (8, 8)).save(target, "PNG", pnginfo=told, exif=exif)
    facts = decode(target.getvalue(), DecodeLimits()).facts
    assert (facts.artist, facts.copyright) == ("Zoë Ax", "Notice")


def test_xmp_comes_before_exif():
    exif = Image.Exif()
    exif[315], exif[33432] = "Old", "Notice"
    target = io.BytesIO()
    Image.new("RGB", (8, 8)).save(target, "JPEG", exif=exif, xmp=xmp_packet(Credits("New", "", TRAINED)))
    facts = decode(target.getvalue(), DecodeLimits()).facts
    assert (facts.artist, facts.copyright, facts.digital_source_type) == ("New", "Notice", TRAINED)
