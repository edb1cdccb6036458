import io
import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from nights import Row, picture, write_run
from PIL import Image, PngImagePlugin

from pipelines.rating.contestants import Named, entries_of, with_tasks
from pipelines.rating.score import as_text, score
from pipelines.rating.study import Study
from pipelines.rating.web import SessionRules, make_app
from transforms.errors import ConfigError
from transforms.storage.store import StoreConfig

CONFIG = StoreConfig()
QUICK = SessionRules(0.0, 0.0)
LONG = "a-token-of-many-characters"


@pytest.fixture
def study(tmp_path: Path) -> Study:
    run = write_run(tmp_path / "out", "night", [Row(f"teapot{n}", advertiser="secret-brand") for n in range(3)])
    made = Study.open(tmp_path / "study.db", "defects")
    made.add(entries_of(Named("run", "canvas", str(run)), CONFIG))
    return made


def client_of(study: Study, rules: SessionRules = QUICK) -> FlaskClient:
    return make_app(study, CONFIG, rules).test_client()


def csrf(page: str) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found
    return found[1]


def enter(client: FlaskClient, rater: str = "Ann", **fields: str) -> str:
    """Enter, and return the first page of the session."""
    token = csrf(client.get("/").text)
    answer = client.post("/enter", data={"csrf": token, "rater": rater, **fields}, follow_redirects=True)
    return answer.text


def unit_of(page: str) -> str:
    found = re.search(r'name="unit" value="([^"]+)"', page)
    assert found
    return found[1]


def send(client: FlaskClient, page: str, **fields: str) -> str:
    data = {"csrf": csrf(page), "unit": unit_of(page), "product_defect": "0", "background_defect": "1", **fields}
    return client.post("/answer", data=data, follow_redirects=True).text


def test_a_session_goes_from_the_first_item_to_thanks(study: Study) -> None:
    client = client_of(study)
    page = enter(client)
    for number in range(3):
        assert f"{number} answered by you" in page
        page = send(client, page)
    assert "There is nothing left for you" in page
    assert {answer.rater for answer in study.answers()} == {"ann"}
    assert study.answers()[0].answer == {"product_defect": 0, "background_defect": 1}


def test_pages_and_addresses_name_no_contestant_no_file_and_no_advertiser(study: Study) -> None:
    client = client_of(study)
    page = enter(client)
    for telltale in ("canvas", "secret-brand", "teapot", "night", "jpg", "creatives", "pmax"):
        assert telltale not in page
    for which in ("original", "output"):
        answer = client.get(f"/image/{unit_of(page)}/{which}")
        assert answer.mimetype == "image/jpeg"
        assert "Content-Disposition" not in answer.headers
        assert "Last-Modified" not in answer.headers


def test_images_lose_their_metadata_and_their_format(study: Study, tmp_path: Path) -> None:
    tool = tmp_path / "tool"
    tool.mkdir()
    info = PngImagePlugin.PngInfo()
    info.add_text("Software", "Famous Tool 3")
    picture("p0", 9, staged=True).save(tool / "teapot0.png", pnginfo=info)
    named = Named("folder", "tool", str(tool))
    other = Study.open(tmp_path / "other.db", "defects")
    other.add(with_tasks(entries_of(named, CONFIG, originals=str(tmp_path / "out" / "shots"))))
    client = client_of(other)
    data = client.get(f"/image/{unit_of(enter(client))}/output").data
    assert b"Famous" not in data
    with Image.open(io.BytesIO(data)) as image:
        assert image.format == "JPEG"
        assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


def test_answers_before_the_images_were_seen_are_refused_by_the_server(study: Study) -> None:
    client = client_of(study, SessionRules(3.0, 3.0))
    page = enter(client)
    again = send(client, page)
    assert "Please look at both images first" in again
    assert unit_of(again) == unit_of(page)
    assert study.answers() == []


def test_two_raters_each_and_a_restart_between(study: Study) -> None:
    for rater in ("ann", "ben"):
        client = client_of(study)
        page = enter(client, rater)
        while 'name="unit"' in page:
            page = send(client, page)
            with_cookie = client.get_cookie("canvas_rating")
            client = client_of(Study.open(study.path))  # the same cookie still holds after a restart
            assert with_cookie
            client.set_cookie("canvas_rating", with_cookie.value)
    assert study.progress("").done == 3
    assert "There is nothing left" in enter(client_of(study), "cleo")


def test_the_last_answer_can_be_taken_back(study: Study) -> None:
    client = client_of(study)
    page = enter(client)
    first = unit_of(page)
    page = send(client, page)
    page = client.post("/undo", data={"csrf": csrf(page)}, follow_redirects=True).text
    assert unit_of(page) == first
    assert study.answers() == []


def test_what_cannot_be_shown_is_passed_and_stays_for_others(study: Study) -> None:
    client = client_of(study)
    page = enter(client)
    first = unit_of(page)
    assert unit_of(send(client, page, **{"pass": "1"})) != first
    assert study.answers() == []


def test_a_file_that_is_gone_answers_410(study: Study) -> None:
    client = client_of(study)
    page = enter(client)
    for item in study.items():
        Path(item.output_uri).unlink()
    from pipelines.rating.pictures import blind_jpeg

    blind_jpeg.cache_clear()
    assert client.get(f"/image/{unit_of(page)}/output").status_code == 410


@pytest.mark.parametrize("path", ["/enter", "/answer", "/undo"])
def test_forms_without_the_sessions_token_are_refused(path: str, study: Study) -> None:
    client = client_of(study)
    enter(client)
    assert client.post(path, data={"rater": "x"}).status_code == 400
    assert client.post(path, data={"csrf": "guess", "rater": "x"}).status_code == 400
    assert client.get(path).status_code == 405


def test_strangers_see_nothing(study: Study) -> None:
    unit = unit_of(enter(client_of(study)))
    stranger = client_of(study)
    assert stranger.get("/rate").status_code == 403
    assert stranger.get(f"/image/{unit}/output").status_code == 403
    other = client_of(study)
    enter(other, "ben")
    assert other.get("/image/nothing/output").status_code == 404
    assert other.get(f"/image/{unit}/key").status_code == 404
    assert other.get("/image/..%2f..%2fetc/passwd").status_code == 404
    assert other.get("/static/../web.py").status_code == 404


def test_incomplete_answers_are_refused(study: Study) -> None:
    client = client_of(study)
    page = enter(client)
    data = {"csrf": csrf(page), "unit": unit_of(page), "product_defect": "0"}
    assert client.post("/answer", data=data).status_code == 400
    assert client.post("/answer", data={**data, "background_defect": "7"}).status_code == 400


@pytest.mark.parametrize("name", ["", "   ", "<script>", "a" * 41])
def test_names_that_are_none_are_refused(name: str, study: Study) -> None:
    assert "Give a name" in enter(client_of(study), name)


def test_a_wider_address_needs_a_token_and_the_token_is_asked(study: Study) -> None:
    with pytest.raises(ConfigError, match="token"):
        SessionRules(host="0.0.0.0")
    with pytest.raises(ConfigError, match="token"):
        SessionRules(host="0.0.0.0", token="short")
    rules = SessionRules(0, 0, "0.0.0.0", LONG)
    assert "That is not" in enter(client_of(study, rules), token="guess")
    assert "That is not" in enter(client_of(study, rules))
    assert 'name="unit"' in enter(client_of(study, rules), token=LONG)


def test_foreign_host_names_are_refused_on_loopback(study: Study) -> None:
    client = client_of(study)
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 403
    assert client.get("/", headers={"Host": "localhost:8700"}).status_code == 200


def test_every_answer_carries_the_headers_that_keep_it_to_itself(study: Study) -> None:
    client = client_of(study)
    enter(client)
    for path in ("/rate", "/static/rating.js"):
        with client.get(path) as answer:
            headers = answer.headers
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
    assert client.get("/rate").headers["Cache-Control"] == "no-store"
    assert "HttpOnly" in client_of(study).get("/").headers["Set-Cookie"]


def test_pairs_are_chosen_by_side_and_kept_by_item(tmp_path: Path) -> None:
    run = write_run(tmp_path / "out", "night", [Row(f"p{n}") for n in range(4)])
    tool = tmp_path / "tool"
    tool.mkdir()
    for n in range(4):
        picture(f"p{n}", 99, staged=True).save(tool / f"p{n}.png")
    study = Study.open(tmp_path / "pairs.db", "pairs")
    found = entries_of(Named("run", "canvas", str(run)), CONFIG)
    found += entries_of(Named("folder", "tool", str(tool)), CONFIG, originals=str(tmp_path / "out" / "shots"))
    study.add(with_tasks(found))
    client = client_of(study)
    page = enter(client)
    picked = []
    while 'name="unit"' in page:
        held = study.held(unit_of(page), "ann")
        assert held is not None
        picked.append(held.first.id)
        images = [client.get(f"/image/{held.id}/{side}").data for side in ("left", "right")]
        assert images[0] != images[1]
        page = client.post(
            "/answer", data={"csrf": csrf(page), "unit": held.id, "choice": "left"}, follow_redirects=True
        ).text
    assert [answer.answer["choice"] for answer in study.answers()] == picked
    found = score(study)
    assert found["left_share"] == 1.0
    assert {strength["contestant"]: strength["comparisons"] for strength in found["strengths"]} == {
        "canvas": 4,
        "tool": 4,
    }
    assert "the left one won 100% of the decided comparisons" in as_text(found)
