"""The served page: what it gives to whom, what it keeps, and what it refuses."""

from __future__ import annotations

import io
import json
import re
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from pipelines.review.access import Tokens, User
from pipelines.review.app import hosts_of, make_app
from pipelines.review.decisions import Decisions
from pipelines.review.judge import Impossible, entries_for
from pipelines.review.runs import Run, slug_of
from pipelines.review.shelf import Setting
from transforms.decisions import read_decisions
from transforms.storage.store import StoreConfig

OPS = User("Olga", None)
TOKENS = Tokens(b"s" * 32)
ACME, ZETA = slug_of("acme"), slug_of("zeta")
NASTY = ("..", "../..", "%2e%2e", "..%2f..", "....//", "/etc/passwd", "%00", "a\\..\\b", "〱", "'", "x" * 300)


class Visitor:
    """A browser of one person: keeps cookies, reads the page's proof, sends decisions."""

    def __init__(self, setting: Setting, *, token: str = "", host: str = "127.0.0.1") -> None:
        self.client: FlaskClient = make_app(setting).test_client()
        self.base = f"http://{host}/"
        if token:
            self.get(f"/login?token={token}")

    def get(self, path: str, **headers: str) -> TestResponse:
        return self.client.get(path, base_url=self.base, headers=headers)

    def csrf(self, slug: str = ACME) -> str:
        found = re.search(r'name="csrf" content="(\w+)"', self.get(f"/a/{slug}/").text)
        return found.group(1) if found else ""

    def items(self, slug: str = ACME) -> dict[str, dict[str, Any]]:
        """(product, placement) -> item, as the page's script holds it."""
        return {f"{item['p']}/{item['s']}": item for item in loaded(self.get(f"/a/{slug}/data.js").text)["items"]}

    def decide(self, slug: str = ACME, **body: Any) -> TestResponse:
        headers = {"X-CSRF-Token": self.csrf(slug)}
        return self.client.post(f"/a/{slug}/decisions", json=body, headers=headers, base_url=self.base)

    def undo(self, batch: str, slug: str = ACME) -> TestResponse:
        headers = {"X-CSRF-Token": self.csrf(slug)}
        return self.client.post(f"/a/{slug}/undo", json={"batch": batch}, headers=headers, base_url=self.base)


def loaded(script: str) -> dict[str, Any]:
    """What a script hands to the page."""
    text = re.search(r'JSON\.parse\((".*")\)\);', script, re.S)
    assert text is not None
    return json.loads(json.loads(text.group(1)))  # type: ignore[no-any-return]


@pytest.fixture
def setting(run: Run, tmp_path: Path) -> Setting:
    """Open on loopback, as `serve` makes it."""
    return Setting(run, Decisions(tmp_path / "d.sqlite"), TOKENS, OPS, hosts_of("127.0.0.1"))


@pytest.fixture
def ops(setting: Setting) -> Visitor:
    return Visitor(setting)


@pytest.fixture
def guarded(setting: Setting) -> Setting:
    """As `serve --host 0.0.0.0` makes it."""
    return Setting(setting.run, setting.decisions, TOKENS)


def test_ops_see_all_advertisers_and_every_file_of_their_pages(ops: Visitor) -> None:
    assert "acme" in ops.get("/").text and "zeta" in ops.get("/").text
    item = ops.items()["lamp-1/pmax_square"]
    for path in ("thumb/{}.jpg", "after/{}.jpg", "before/{}.jpg", "mask/{}.png", "changed/{}.png", "proof/{}.js"):
        answer = ops.get(f"/a/{ACME}/" + path.format(item["i"]))
        assert answer.status_code == 200 and answer.data
    for path in ("small/{}.jpg", "original/{}.jpg"):
        assert ops.get(f"/a/{ACME}/" + path.format(item["b"])).status_code == 200
    assert loaded(ops.get(f"/a/{ACME}/details/0.js").text)[item["i"]]["prompt"] == "a calm studio"


def test_the_proof_is_computed_and_not_claimed(ops: Visitor, setting: Setting) -> None:
    item = ops.items()["lamp-1/pmax_square"]
    (proof,) = loaded(ops.get(f"/a/{ACME}/proof/{item['i']}.js").text).values()
    assert proof["state"] == "proven" and proof["differing"] == 0 and proof["compared"] > 100_000
    assert sum(proof[part] for part in ("compared", "blended", "kept", "painted")) == 1200 * 1200


def test_decisions_are_kept_attributed_and_time_stamped(ops: Visitor, setting: Setting) -> None:
    lamp, vase = ops.items()["lamp-1/pmax_square"], ops.items()["vase-1/pmax_square"]
    ops.decide(action="accept", ids=[lamp["i"]])
    answer = ops.decide(action="refuse", ids=[vase["i"]], reason="ugly_background", note="too grey").get_json()
    assert answer["decisions"][vase["i"]]["verdict"] == "refused"
    again = Visitor(setting)
    shown = loaded(again.get(f"/a/{ACME}/data.js").text)["decisions"]
    assert shown[lamp["i"]]["verdict"] == "accepted" and shown[vase["i"]]["note"] == "too grey"
    rows = Decisions(setting.decisions.path).rows("acme")
    assert [(row["action"], row["decided_by"]) for row in rows] == [
        ("accept", "Olga (ads ops)"),
        ("refuse", "Olga (ads ops)"),
    ]
    assert all(row["decided_at"].tzinfo is not None for row in rows)


def test_a_batch_is_undone_as_a_whole_once_and_by_its_own_advertiser(ops: Visitor, setting: Setting) -> None:
    ids = [item["i"] for item in ops.items().values() if item["o"] == "enhanced"]
    batch = ops.decide(action="accept", ids=ids).get_json()["batch"]
    assert ops.undo(batch, ZETA).status_code == 400
    answer = ops.undo(batch).get_json()
    assert all(not answer["decisions"][name].get("verdict") for name in ids)
    assert ops.undo(batch).status_code == 400
    assert {row["undone_by"] for row in setting.decisions.rows()} == {"Olga (ads ops)"}


@pytest.mark.parametrize("body", [
    {"action": "accept", "ids": []},
    {"action": "accept", "ids": "all"},
    {"action": "accept", "ids": ["0" * 20]},
    {"action": "delete"},
    {"action": "prune"},
    {"action": "refuse", "reason": "because"},
    {"action": "flag", "note": "  "},
    {"action": "withdraw"},
    {"action": "accept", "note": "x" * 501},
    {"action": "opt_out", "scope": "everything"},
])  # fmt: skip
def test_what_cannot_be_decided_changes_nothing(ops: Visitor, setting: Setting, body: dict[str, Any]) -> None:
    answer = ops.decide(**{"ids": [ops.items()["lamp-1/pmax_square"]["i"]], **body})
    assert answer.status_code == 400 and answer.get_json()["error"]
    assert not setting.decisions.rows()


def test_one_impossible_item_spoils_its_whole_batch(ops: Visitor, setting: Setting) -> None:
    items = ops.items()
    ids = [items["lamp-1/pmax_square"]["i"], items["cup-1/pmax_square"]["i"]]
    assert ops.decide(action="accept", ids=ids).status_code == 400
    assert not setting.decisions.rows()


def test_a_row_without_a_product_opts_nothing_out(run: Run) -> None:
    nameless = {**run.rows[0], "product_id": None, "placement": None, "task": None, "outcome": "failed"}
    for product in (None, ""):
        with pytest.raises(Impossible, match="no product"):
            entries_for(
                {"action": "opt_out", "ids": ["x"], "scope": "product"}, {"x": {**nameless, "product_id": product}}, []
            )


def test_half_a_character_is_refused_in_words(ops: Visitor, setting: Setting) -> None:
    lamp = ops.items()["lamp-1/pmax_square"]["i"]
    for answer in (ops.decide(action="flag", ids=[lamp], note="a\ud83d"), ops.undo("\ud83d")):
        assert answer.status_code == 400 and answer.get_json()["error"]
    assert not setting.decisions.rows()


def test_another_candidate_is_only_offered_where_it_can_help(ops: Visitor) -> None:
    items = ops.items()
    assert ops.decide(action="retry", ids=[items["vase-1/pmax_landscape"]["i"]]).status_code == 200
    assert ops.decide(action="retry", ids=[items["cup-1/pmax_square"]["i"]]).status_code == 400


def test_accepted_creatives_and_their_feed_can_be_taken_away(ops: Visitor, run: Run) -> None:
    items = ops.items()
    evil = next(item for item in items.values() if item["c"] == "<b>x</b>")
    ops.decide(action="accept", ids=[items["lamp-1/pmax_square"]["i"], evil["i"]])
    archive = zipfile.ZipFile(io.BytesIO(ops.get(f"/a/{ACME}/accepted.zip").data))
    assert archive.testzip() is None
    names = archive.namelist()
    assert "creatives/lamp-1/pmax_square.jpg" in names and len(names) == 3
    assert all(name == "delivery.csv" or re.fullmatch(r"creatives/[\w%.~-]+/pmax_square\.jpg", name) for name in names)
    assert not any(".." in Path(name).parts for name in names)
    row = next(row for row in run.rows if row["item_id"] == items["lamp-1/pmax_square"]["i"])
    assert archive.read("creatives/lamp-1/pmax_square.jpg") == Path(row["creative_uri"]).read_bytes()
    feed = pq.read_table(io.BytesIO(ops.get(f"/a/{ACME}/delivery.parquet").data)).to_pylist()
    assert {entry["product_id"] for entry in feed} == {"lamp-1", evil["p"]}
    assert b"lamp-1" in ops.get(f"/a/{ACME}/delivery.csv").data


def test_the_export_is_what_the_job_reads(ops: Visitor, tmp_path: Path) -> None:
    ops.decide(action="refuse", reason="other", ids=[ops.items()["lamp-1/pmax_square"]["i"]])
    (tmp_path / "d.parquet").write_bytes(ops.get(f"/a/{ACME}/decisions.parquet").data)
    (row,) = read_decisions(str(tmp_path / "d.parquet"), StoreConfig())
    assert (row["action"], row["reason"], row["advertiser_id"]) == ("refuse", "other", "acme")


def test_nobody_gets_in_without_a_token_once_the_page_is_reachable_from_outside(guarded: Setting) -> None:
    visitor = Visitor(guarded, host="review.example")
    item = Visitor(guarded, token=TOKENS.issue(OPS, 1)).items()["lamp-1/pmax_square"]["i"]
    for path in ("/", f"/a/{ACME}/", f"/a/{ACME}/data.js", f"/a/{ACME}/thumb/{item}.jpg", f"/a/{ACME}/accepted.zip"):
        answer = visitor.get(path)
        assert answer.status_code == 401 and b"lamp" not in answer.data
    assert visitor.get("/login?token=wrong").status_code == 401
    assert visitor.get("/assets/core.js").status_code == 200
    icon = visitor.get("/favicon.ico")  # browsers ask for it on pictures' own pages
    assert icon.status_code == 200 and icon.content_type == "image/svg+xml"


def test_an_advertiser_sees_its_own_rows_and_no_image_of_another(guarded: Setting) -> None:
    ops = Visitor(guarded, token=TOKENS.issue(OPS, 1))
    theirs, mine = ops.items(ZETA)["lamp-1/pmax_square"], ops.items()["lamp-1/pmax_square"]
    acme = Visitor(guarded, token=TOKENS.issue(User("Ann", "acme"), 1))
    assert acme.get("/").headers["Location"] == f"/a/{ACME}/"
    assert acme.get(f"/a/{ACME}/thumb/{mine['i']}.jpg").status_code == 200
    jpegs = [f"{kind}/{theirs['i']}.jpg" for kind in ("thumb", "after", "before", "small", "original")]
    for path in ("", "data.js", "details/0.js", "accepted.zip", "delivery.csv", "decisions.parquet", *jpegs,
                 f"proof/{theirs['i']}.js",
                 f"mask/{theirs['i']}.png", f"changed/{theirs['i']}.png"):  # fmt: skip
        assert acme.get(f"/a/{ZETA}/{path}").status_code == 404
    for kind in ("thumb", "after", "original"):
        assert acme.get(f"/a/{ACME}/{kind}/{theirs['i']}.jpg").status_code == 404
    assert acme.decide(action="accept", ids=[theirs["i"]]).status_code == 400
    headers = {"X-CSRF-Token": acme.csrf()}
    body = {"action": "accept", "ids": [theirs["i"]]}
    answer = acme.client.post(f"/a/{ZETA}/decisions", json=body, headers=headers, base_url=acme.base)
    assert answer.status_code == 404
    assert not guarded.decisions.rows("zeta")


def test_an_advertisers_page_holds_nothing_of_another_and_no_money(guarded: Setting) -> None:
    acme = Visitor(guarded, token=TOKENS.issue(User("Ann", "acme"), 1))
    text = "".join(acme.get(f"/a/{ACME}/{path}").text for path in ("", "data.js", "details/0.js"))
    assert "zeta" not in text.lower() and "cost" not in text.lower()


@pytest.mark.parametrize("token", [
    "", "x", "a.b.c", TOKENS.issue(OPS, 1)[:-2] + "AA", Tokens(b"other" * 9).issue(OPS, 1), TOKENS.issue(OPS, -1),
])  # fmt: skip
def test_a_forged_or_old_token_opens_nothing(guarded: Setting, token: str) -> None:
    visitor = Visitor(guarded)
    visitor.client.set_cookie("canvas_review", token, domain="127.0.0.1")
    assert visitor.get(f"/a/{ACME}/data.js").status_code == 401


def test_a_token_leaves_the_address_and_its_cookie_is_out_of_scripts_reach(guarded: Setting) -> None:
    visitor = Visitor(Setting(guarded.run, guarded.decisions, TOKENS, https=True))
    answer = visitor.get(f"/login?token={TOKENS.issue(OPS, 1)}")
    assert answer.status_code == 303 and answer.headers["Location"] == "/"
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Secure" in cookie


def test_a_decision_from_another_site_is_refused(ops: Visitor, setting: Setting) -> None:
    item, path = ops.items()["lamp-1/pmax_square"]["i"], f"/a/{ACME}/decisions"
    proof, body = ops.csrf(), {"action": "accept", "ids": [item]}

    def post(visitor: Visitor, **headers: str) -> int:
        return visitor.client.post(path, json=body, headers=headers, base_url=ops.base).status_code

    assert post(ops) == 403
    assert post(ops, **{"X-CSRF-Token": "0" * 64}) == 403
    assert post(Visitor(setting), **{"X-CSRF-Token": proof}) == 403
    assert post(ops, **{"X-CSRF-Token": proof, "Sec-Fetch-Site": "cross-site"}) == 403
    form = ops.client.post(path, data={"csrf": proof, "action": "accept"}, base_url=ops.base)
    assert form.status_code == 400
    assert not setting.decisions.rows()
    assert post(ops, **{"X-CSRF-Token": proof, "Sec-Fetch-Site": "same-origin"}) == 200


def test_a_page_of_last_night_decides_nothing_on_tonights_creatives(ops: Visitor, setting: Setting) -> None:
    item, proof = ops.items()["lamp-1/pmax_square"]["i"], ops.csrf()
    tonight = Visitor(replace(setting, run=replace(setting.run, run_id="tonight")))
    assert tonight.items()["lamp-1/pmax_square"]["i"] == item
    tonight.client = tonight.client.application.test_client()
    session = ops.client.get_cookie("canvas_review", "127.0.0.1")
    assert session is not None
    tonight.client.set_cookie("canvas_review", session.value, domain="127.0.0.1")
    body: dict[str, Any] = {"action": "accept", "ids": [item]}
    stale = tonight.client.post(f"/a/{ACME}/decisions", json=body, headers={"X-CSRF-Token": proof}, base_url=ops.base)
    assert stale.status_code == 403 and "load the page again" in stale.get_json()["error"]
    assert tonight.decide(**body).status_code == 200


def test_a_browser_does_not_show_last_nights_picture_of_an_item(ops: Visitor, setting: Setting) -> None:
    item = ops.items()["lamp-1/pmax_square"]["i"]
    path = f"/a/{ACME}/after/{item}.jpg"
    first = ops.get(path)
    kept = {"If-None-Match": first.headers["ETag"]}
    assert "no-cache" in first.headers["Cache-Control"] and ops.get(path, **kept).status_code == 304
    (row,) = (row for row in setting.run.rows if row["item_id"] == item)
    other = {**row, "content_key": "ab" * 16, "creative_digest": "cd" * 32}
    tonight = replace(setting.run, rows=(other,), advertisers={"acme": (other,)})
    assert Visitor(replace(setting, run=tonight)).get(path, **kept).status_code == 200


def test_pages_of_other_sites_and_other_names_cannot_read_an_open_page(ops: Visitor, setting: Setting) -> None:
    assert ops.get(f"/a/{ACME}/data.js", **{"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert ops.get(f"/a/{ACME}/data.js").headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert Visitor(setting, host="rebound.example").get("/").status_code == 421
    assert ops.get("/", **{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}).status_code == 200


def test_the_public_name_is_the_same_in_any_case(guarded: Setting) -> None:
    visitor = Visitor(replace(guarded, hosts=("Review.Example.com",)), host="review.example.com")
    assert visitor.get("/").status_code == 401


def test_every_answer_forbids_foreign_scripts_and_frames(ops: Visitor) -> None:
    for path in ("/", f"/a/{ACME}/", f"/a/{ACME}/data.js", "/assets/core.js", "/nothing"):
        headers = ops.get(path).headers
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff" and headers["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("name", NASTY)
def test_no_name_in_an_address_leads_to_another_file(ops: Visitor, name: str) -> None:
    for path in (f"/assets/{name}", f"/a/{name}/", f"/a/{ACME}/thumb/{name}.jpg", f"/a/{ACME}/{name}/x.jpg",
                 f"/a/{ACME}/proof/{name}.js", f"/a/{ACME}/delivery.{name}", f"/a/{ACME}/details/{name}.js",
                 f"/{name}/etc/passwd"):  # fmt: skip
        answer = ops.get(path)
        assert answer.status_code in (400, 404, 405, 308)
        assert b"root:" not in answer.data


def test_texts_of_feeds_are_never_markup(ops: Visitor) -> None:
    for path in ("/", f"/a/{ACME}/", f"/a/{ACME}/data.js", f"/a/{ACME}/details/0.js"):
        text = ops.get(path).text
        assert "<img src=x" not in text and "<svg onload" not in text and "</script><script>" not in text


def test_a_picture_that_is_gone_is_not_found_and_tells_nothing(
    ops: Visitor, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = ops.items()["vase-1/pmax_square"]["i"]
    row = next(row for row in run.rows if row["item_id"] == item)
    path = Path(row["creative_uri"])
    data = path.read_bytes()
    path.unlink()
    try:
        answer = ops.get(f"/a/{ACME}/after/{item}.jpg")
    finally:
        path.write_bytes(data)
    assert answer.status_code == 404 and str(path).encode() not in answer.data


def test_a_proof_that_could_not_be_made_is_tried_again(ops: Visitor, run: Run) -> None:
    item = ops.items()["vase-1/pmax_square"]["i"]
    path = Path(next(row for row in run.rows if row["item_id"] == item)["evidence_uri"])
    data = path.read_bytes()

    def state() -> str:
        (proof,) = loaded(ops.get(f"/a/{ACME}/proof/{item}.js").text).values()
        return str(proof["state"])

    path.unlink()
    try:
        assert state() == "unread"
    finally:
        path.write_bytes(data)
    assert state() == "proven"


def test_a_body_that_is_too_large_or_no_json_is_refused(ops: Visitor) -> None:
    headers = {"X-CSRF-Token": ops.csrf(), "Content-Type": "application/json"}
    for data in (b"[]", b"{", b"x" * 2_000_000):
        answer = ops.client.post(f"/a/{ACME}/decisions", data=data, headers=headers, base_url=ops.base)
        assert answer.status_code in (400, 413)
