"""The audit, over files and an index as a run leaves them."""

from hashlib import sha256

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from image_host import Reply, image_host
from PIL import Image

from pipelines.audit import COLUMNS, main
from transforms.ops.encode import encode_evidence

SCALED, TOP, LEFT = (90, 70), 15, 10


@pytest.fixture
def run(tmp_path):
    """OUTPUT with one enhanced creative, and its row."""
    source = np.random.Generator(np.random.Philox(key=1)).integers(90, 140, (12, 10, 3), dtype=np.uint8)
    source = np.asarray(Image.fromarray(source).resize((100, 120), Image.Resampling.BICUBIC))
    Image.fromarray(source).save(tmp_path / "source.png")
    laid = np.asarray(Image.fromarray(source).resize((SCALED[1], SCALED[0]), Image.Resampling.LANCZOS))
    scene, mask = np.full((120, 100, 3), 200, np.uint8), np.zeros((120, 100), bool)
    mask[30:80, 20:60] = True
    scene[TOP : TOP + SCALED[0], LEFT : LEFT + SCALED[1]] = laid
    scene[~mask] = 200
    core = mask.copy()
    core[30] = False
    Image.fromarray(scene).save(tmp_path / "creative.jpg", quality=97, subsampling=0)
    (tmp_path / "evidence.png").write_bytes(encode_evidence(core, mask, mask))
    row = dict.fromkeys(COLUMNS, "") | {
        "outcome": "enhanced", "advertiser_id": "a", "product_id": "p", "placement": "square",
        "source_uri": str(tmp_path / "source.png"), "image_uri": "source.png",
        "source_digest": sha256((tmp_path / "source.png").read_bytes()).hexdigest(),
        "creative_uri": str(tmp_path / "creative.jpg"),
        "creative_digest": sha256((tmp_path / "creative.jpg").read_bytes()).hexdigest(),
        "evidence_uri": str(tmp_path / "evidence.png"), "core_digest": sha256(scene[core].tobytes()).hexdigest(),
        "transform_kernel": "lanczos3", "transform_height": SCALED[0], "transform_width": SCALED[1],
        "transform_top": TOP, "transform_left": LEFT,
    }  # fmt: skip
    write(tmp_path, row)
    return tmp_path, row


def write(output, *rows):
    folder = output / "runs" / "r1" / "index"
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(list(rows)), folder / "00000.parquet")


@pytest.mark.parametrize("part", ["", "runs/r1", "runs/r1/index", "runs/r1/index/00000.parquet"])
def test_a_sound_run_is_proven_from_any_of_its_folders(run, part, capsys):
    output, _ = run
    assert main([str(output / part)]) == 0
    assert capsys.readouterr().out == f"creatives 1, product pixels compared {49 * 40}, differing 0\n"


def test_rows_without_a_creative_and_repeated_ones_do_not_count(run, capsys):
    output, row = run
    write(output, row, row, row | {"outcome": "skipped", "creative_uri": None})
    assert main([str(output)]) == 0
    assert capsys.readouterr().out.startswith("creatives 1,")


def test_a_limit_bounds_the_creatives(run, capsys):
    assert main([str(run[0]), "--limit", "0"]) == 0
    assert capsys.readouterr().out.startswith("creatives 0,")


def test_a_negative_limit_is_refused(run, capsys):
    assert main([str(run[0]), "--limit", "-1"]) == 2
    said = capsys.readouterr()
    assert "--limit must be zero or positive, got -1" in said.err and "differing 0" not in said.out


def test_another_offset_than_the_recorded_one_is_found(run, capsys):
    output, row = run
    write(output, row | {"transform_top": TOP + 1})
    assert main([str(output)]) == 1
    assert f"differing {49 * 40}" in capsys.readouterr().out


def test_a_creative_whose_product_is_painted_over_is_found(run, capsys):
    output, row = run
    Image.fromarray(np.full((120, 100, 3), 200, np.uint8)).save(output / "creative.jpg")
    write(output, row | {"creative_digest": sha256((output / "creative.jpg").read_bytes()).hexdigest()})
    assert main([str(output)]) == 1
    assert "CIE76" in capsys.readouterr().err


def test_a_replaced_creative_and_a_replaced_source_are_found(run, capsys):
    output, row = run
    write(output, row | {"creative_digest": "0" * 64}, row | {"source_digest": "0" * 64, "creative_uri": "elsewhere"})
    assert main([str(output)]) == 1
    error = capsys.readouterr().err
    assert "not the one that the index names" in error and "no longer the image" in error


def test_a_source_over_http_or_behind_a_link_is_read_where_the_index_is_trusted(run, capsys):
    output, row = run
    (output / "linked").mkdir()
    (output / "linked" / "source.png").symlink_to(output / "source.png")
    with image_host() as host:
        host.replies["/source.png"] = Reply((output / "source.png").read_bytes())
        web = {
            "source_uri": f"http://127.0.0.1:{host.port}/source.png",
            "evidence_uri": f"file://{output}/evidence.png",
        }
        write(output, row | {"source_uri": str(output / "linked" / "source.png")}, row | web)
        assert main([str(output)]) == 0
    assert capsys.readouterr().out.startswith("creatives 2,")


def signed(host, row, path):
    """`row` as the index keeps it of a source at a signed address."""
    return row | {"source_uri": f"http://127.0.0.1:{host.port}{path}?X-Amz-Signature=***"}


def test_a_source_whose_address_the_index_keeps_without_credentials_is_no_fault(run, capsys):
    output, row = run
    with image_host() as host:
        host.replies["/denied.png?X-Amz-Signature=***"] = Reply(b"", status=403)
        write(output, row, signed(host, row, "/denied.png") | {"evidence_uri": f"file://{output}/evidence.png"})
        assert main([str(output)]) == 0
    shown = capsys.readouterr()
    assert "a/p/square: the source cannot be read again" in shown.err
    assert shown.out.startswith(f"creatives 2, product pixels compared {49 * 40}, differing 0\n")
    assert shown.out.endswith("their sources cannot be read again 1\n") and "at fault" not in shown.out


def test_a_run_of_signed_sources_alone_proves_nothing_but_its_files(run, capsys):
    output, row = run
    with image_host() as host:
        host.replies["/denied.png?X-Amz-Signature=***"] = Reply(b"", status=403)
        write(output, signed(host, row, "/denied.png"))
        assert main([str(output)]) == 2
        write(output, signed(host, row, "/denied.png") | {"creative_digest": "0" * 64})
        assert main([str(output)]) == 1
    assert "not the one that the index names" in capsys.readouterr().err


def test_a_source_that_the_job_allowed_is_not_too_large_for_its_proof(run, capsys):
    output, row = run
    wide = np.zeros((51, 1_000_000), np.uint8)
    Image.fromarray(wide).save(output / "source.png")
    write(output, row | {"source_digest": sha256((output / "source.png").read_bytes()).hexdigest()})
    main([str(output)])
    assert "TooManyPixels" not in capsys.readouterr().err


@pytest.mark.parametrize(
    "evidence",
    [b"", b"no picture", encode_evidence(*[np.eye(120, 100, dtype=bool)] * 3)[:70]],
    ids=["empty", "text", "cut"],
)
def test_damaged_evidence_is_a_fault_of_its_creative_alone(run, evidence, capsys):
    output, row = run
    (output / "other.png").write_bytes(evidence)
    write(output, row | {"evidence_uri": str(output / "other.png")}, row)
    assert main([str(output)]) == 1
    shown = capsys.readouterr()
    assert "TruncatedImage: evidence" in shown.err and shown.out.startswith(
        "creatives 2, product pixels compared 1960,"
    )


def test_a_row_that_does_not_say_enough_is_a_fault(run, capsys):
    output, row = run
    write(output, row | {"transform_top": None})
    assert main([str(output)]) == 1
    assert "nothing of transform_top" in capsys.readouterr().err


def test_what_is_no_index_is_an_error_with_a_remedy(tmp_path, capsys):
    (tmp_path / "damaged.parquet").write_bytes(b"PAR1")
    pq.write_table(pa.table({"outcome": ["enhanced"]}), tmp_path / "other.parquet")
    for name in ("damaged", "other"):
        assert main([str(tmp_path / f"{name}.parquet")]) == 2
        assert "remedy: name an index" in capsys.readouterr().err


def test_a_missing_evidence_file_is_a_fault(run, capsys):
    output, _ = run
    (output / "evidence.png").unlink()
    assert main([str(output)]) == 1
    assert "ObjectNotFound" in capsys.readouterr().err


def test_a_folder_without_an_index_is_an_error_with_a_remedy(tmp_path, capsys):
    assert main([str(tmp_path)]) == 2
    assert "remedy" in capsys.readouterr().err
