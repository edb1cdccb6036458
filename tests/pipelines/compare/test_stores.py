"""Runs on S3, compared and reported to S3."""

from pathlib import Path

import pytest
from nights import Row, write_run
from seaweed import BUCKET, SeaweedServer

from pipelines.compare.__main__ import main
from pipelines.experiments.__main__ import main as experiments
from transforms.storage.store import StoreConfig, open_store

pytestmark = pytest.mark.s3


def test_everything_reads_and_writes_through_the_store(
    seaweed: SeaweedServer, aws_credentials: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = StoreConfig(endpoint_url=seaweed.endpoint_url, addressing="path")
    place, store = f"s3://{BUCKET}/compare", open_store(f"s3://{BUCKET}", config)
    for name, hue in (("monday", 20), ("tuesday", 150)):
        run = write_run(tmp_path, name, [Row("p", hue=hue), Row("q", hue=20)])
        part = (run / "index" / "part-00000.parquet").read_bytes()
        store.write(f"{place}/runs/{name}/index/part-00000.parquet", part)
    flags = ["--s3_endpoint", seaweed.endpoint_url, "--s3_addressing", "path"]
    runs = [f"{place}/runs/{name}" for name in ("monday", "tuesday")]
    assert main([*runs, "--html", f"{place}/compare.html", "--json", f"{place}/compare.json", *flags]) == 0
    assert "creatives changed: 1" in capsys.readouterr().out
    assert b"data:image/jpeg" in store.read(f"{place}/compare.html").data
    traffic = f"{place}/traffic.parquet"
    made = ["simulate", "--out", traffic, "--products", "50", "--days", "2", *flags]
    assert experiments(made) == 0
    assert experiments(["report", traffic, "--out", f"{place}/experiment", *flags]) in (0, 1)
    assert store.read(f"{place}/experiment/report.html").size > 10_000
