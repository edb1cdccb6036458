"""The review page as a web application: images through the store, decisions into the database."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from flask import Flask, Response, abort, g, jsonify, make_response, redirect, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from pipelines.report.spend import cost_of_runs, spend_of
from pipelines.review.access import host_of, is_loopback
from pipelines.review.build import extension_of
from pipelines.review.decisions import decision_table
from pipelines.review.delivery import accepted_rows, feed_csv, feed_parquet, zip_chunks
from pipelines.review.judge import Impossible, entries_for, is_text
from pipelines.review.pages import (
    asset,
    assets,
    data_script,
    decisions_shown,
    details_script,
    opt_outs_shown,
    overview,
    page,
    render,
)
from pipelines.review.pictures import OF_CREATIVES, OF_SOURCES, PICTURES
from pipelines.review.runs import Row, slug_of
from pipelines.review.shelf import Setting, Shelf, user
from transforms.errors import CanvasError
from transforms.keys import digest_of
from transforms.ledger import PARQUET, parquet_bytes

_SESSION = "canvas_review"
_SCRIPT, _MAX_BODY = "text/javascript; charset=utf-8", 1_000_000
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; img-src 'self'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
# Where a browser looks for a picture's or a script's own icon, which no page of ours names.
_FAVICON = "/favicon.ico"
_KINDS = {"js": _SCRIPT, "css": "text/css; charset=utf-8", "svg": "image/svg+xml"}


def make_app(setting: Setting) -> Flask:
    """The application, ready for any WSGI server."""
    app = Flask("catalog-canvas-review", static_folder=None, template_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = _MAX_BODY
    shelf = Shelf(setting)
    app.before_request(lambda: _admit(setting))
    app.after_request(_with_headers)
    app.register_error_handler(HTTPException, _told)
    app.register_error_handler(CanvasError, lambda _: _told_plainly("it could not be read", 502))
    _add_doors(app, setting)
    _add_pages(app, shelf)
    _add_decisions(app, shelf)
    return app


def _admit(setting: Setting) -> AnyResponse | None:
    """Every request: the right host, no other site's page behind it, and somebody we know."""
    if setting.hosts and host_of(request.host).lower() not in map(str.lower, setting.hosts):
        return _told_plainly("this server is not meant by that name", 421)
    if request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site") and (
        request.method != "GET" or request.headers.get("Sec-Fetch-Mode") != "navigate"
    ):
        return _told_plainly("not for pages of other sites", 403)
    g.session = request.cookies.get(_SESSION, "")
    signed_in = setting.tokens.read(g.session)
    g.user, g.signed_in = signed_in or setting.open_user, signed_in is not None
    if request.path in ("/login", _FAVICON) or request.path.startswith("/assets/"):
        return None
    if g.user is None:
        return make_response(render("sign_in.html.j2", assets="/assets"), 401)
    if request.method == "POST" and not setting.tokens.is_csrf(_given_csrf(), g.session, setting.run.run_id):
        return _told_plainly("load the page again", 403)
    return None


def _given_csrf() -> str:
    return request.headers.get("X-CSRF-Token") or request.form.get("csrf", "")


def _with_headers(response: Response) -> Response:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def _told(error: HTTPException) -> AnyResponse:
    return _told_plainly(error.description or error.name, error.code or 500)


def _told_plainly(words: str, status: int) -> AnyResponse:
    return make_response(jsonify(error=words), status)


def _add_doors(app: Flask, setting: Setting) -> None:
    def login() -> AnyResponse:
        """A token in the address becomes a cookie, and leaves the address."""
        token = request.values.get("token", "").strip()
        known = setting.tokens.read(token)
        if known is None:
            return make_response(render("sign_in.html.j2", assets="/assets", wrong=True), 401)
        response = redirect("/", 303)
        _set_session(response, token, setting)
        return response

    def logout() -> AnyResponse:
        response = redirect("/", 303)
        response.delete_cookie(_SESSION)
        return response

    def serve_asset(name: str) -> AnyResponse:
        if name not in assets():
            abort(404)
        response = make_response(asset(name))
        response.headers["Content-Type"] = _KINDS[name.rsplit(".", 1)[-1]]
        response.headers["Cache-Control"] = "no-cache"
        return response

    app.add_url_rule("/login", "login", login, methods=["GET", "POST"])
    app.add_url_rule("/logout", "logout", logout, methods=["POST"])
    app.add_url_rule("/assets/<name>", "assets", serve_asset)
    app.add_url_rule(_FAVICON, "favicon", lambda: serve_asset("icon.svg"))


def _set_session(response: AnyResponse, session: str, setting: Setting) -> None:
    response.set_cookie(_SESSION, session, httponly=True, samesite="Lax", secure=setting.https)


def _page(text: str, setting: Setting) -> AnyResponse:
    response = make_response(text)
    if g.session and request.cookies.get(_SESSION) != g.session:
        _set_session(response, g.session, setting)
    return response


def _csrf(setting: Setting) -> str:
    """The page's proof; without a token a session is a random name."""
    g.session = g.session or secrets.token_urlsafe(24)
    return setting.tokens.csrf(g.session, setting.run.run_id)


def _add_pages(app: Flask, shelf: Shelf) -> None:
    setting, run = shelf.setting, shelf.run

    def home() -> AnyResponse:
        own = user().advertiser
        if own is not None:
            if own not in run.advertisers:
                abort(404, "this run holds nothing of yours")
            return redirect(f"/a/{slug_of(own)}/")
        decided = setting.decisions.rows()
        spend = spend_of(cost_of_runs(run.output, run.store), decided)
        hrefs = {name: f"/a/{slug_of(name)}/" for name in run.advertisers}
        return _page(overview(run, "serve", decided, hrefs, spend, assets="/assets"), setting)

    def advertiser(slug: str) -> AnyResponse:
        name, csrf = shelf.name(slug), _csrf(setting)
        back = "/" if user().advertiser is None else ""
        text = page(run, name, "serve", assets="/assets", home=back, csrf=csrf, signed_in=g.signed_in)
        return _page(text, setting)

    def data(slug: str) -> AnyResponse:
        name = shelf.name(slug)
        return _script(data_script(run, run.advertisers[name], shelf.decided(name), "serve"))

    def details(slug: str, number: int) -> AnyResponse:
        return _script(details_script(run.advertisers[shelf.name(slug)], number))

    def proof(slug: str, item: str) -> AnyResponse:
        row = shelf.row(slug, item)
        return _script(shelf.proof(shelf.name(slug), row["item_id"]))

    def picture(slug: str, kind: str, item: str, extension: str) -> AnyResponse:
        row = shelf.row(slug, item)
        if kind not in (*OF_CREATIVES, *OF_SOURCES) or extension != extension_of(row, kind):
            abort(404)
        # items have the same addresses every night, so a browser asks whether a picture that it keeps is still the one
        version = digest_of([kind, row["content_key"], row["creative_digest"], row["source_digest"]])
        if request.if_none_match.contains_weak(version):
            return _picture(Response(status=304), version)
        try:
            file = shelf.picture(shelf.name(slug), item, kind)
        except (CanvasError, ValueError, OSError):
            abort(404)
        return _picture(Response(file.data, content_type=file.content_type), version)

    app.add_url_rule("/", "home", home)
    app.add_url_rule("/a/<slug>/", "advertiser", advertiser)
    app.add_url_rule("/a/<slug>/data.js", "data", data)
    app.add_url_rule("/a/<slug>/details/<int:number>.js", "details", details)
    app.add_url_rule("/a/<slug>/proof/<item>.js", "proof", proof)
    app.add_url_rule("/a/<slug>/<kind>/<item>.<extension>", "picture", picture)


def _picture(response: Response, version: str) -> Response:
    response.set_etag(version)
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def _script(text: str) -> AnyResponse:
    response = make_response(text.encode("utf-8", "replace"))
    response.headers["Content-Type"] = _SCRIPT
    return response


def _add_decisions(app: Flask, shelf: Shelf) -> None:
    setting, run = shelf.setting, shelf.run

    def asked() -> Mapping[str, Any]:
        found = request.get_json(silent=True)
        if not isinstance(found, dict):
            abort(400, "expected JSON")
        return found

    def answer(name: str, batch: str, touched: set[str], before: list[dict[str, Any]]) -> AnyResponse:
        decided = shelf.decided(name)
        rows = run.advertisers[name]
        shown = decisions_shown(rows, decided)
        outs = opt_outs_shown(decided)
        changed = {item: shown.get(item, {}) for item in touched}
        return jsonify(batch=batch, decisions=changed, optouts=outs, optoutsChanged=outs != opt_outs_shown(before))

    def decide(slug: str) -> AnyResponse:
        name, body = shelf.name(slug), asked()
        before = shelf.decided(name)
        try:
            entries = entries_for(body, shelf.items(name), before)
        except Impossible as error:
            abort(400, str(error))
        who = f"{user().name} ({user().role})"
        batch = setting.decisions.record(body["action"], who, run.run_id, entries)
        return answer(name, batch, _touched(shelf, name, entries), before)

    def undo(slug: str) -> AnyResponse:
        name, asked_for = shelf.name(slug), asked().get("batch")
        batch = asked_for if is_text(asked_for) else ""
        before = shelf.decided(name)
        undone = setting.decisions.undo(batch, f"{user().name} ({user().role})", name)
        if not undone:
            abort(400, "there is nothing to undo")
        return answer(name, batch, _touched(shelf, name, undone), before)

    def accepted(slug: str) -> list[Row]:
        name = shelf.name(slug)
        return accepted_rows(run.advertisers[name], shelf.decided(name))

    def download(slug: str) -> AnyResponse:
        rows = accepted(slug)
        chunks = zip_chunks(rows, lambda row: PICTURES["after"](row, shelf.reader).data)
        return _attachment(Response(chunks), "application/zip", f"{slug}.zip")

    def feed(slug: str, kind: str) -> AnyResponse:
        if kind not in ("csv", "parquet"):
            abort(404)
        rows = accepted(slug)
        data, content_type = (
            (feed_csv(rows), "text/csv; charset=utf-8") if kind == "csv" else (feed_parquet(rows), PARQUET)
        )
        return _attachment(Response(data), content_type, f"{slug}-delivery.{kind}")

    def export(slug: str) -> AnyResponse:
        data = parquet_bytes(decision_table(shelf.decided(shelf.name(slug))))
        return _attachment(Response(data), PARQUET, f"{slug}-decisions.parquet")

    app.add_url_rule("/a/<slug>/decisions", "decide", decide, methods=["POST"])
    app.add_url_rule("/a/<slug>/undo", "undo", undo, methods=["POST"])
    app.add_url_rule("/a/<slug>/accepted.zip", "download", download)
    app.add_url_rule("/a/<slug>/delivery.<kind>", "feed", feed)
    app.add_url_rule("/a/<slug>/decisions.parquet", "export", export)


def _attachment(response: Response, content_type: str, name: str) -> Response:
    response.headers["Content-Type"] = content_type
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _touched(shelf: Shelf, name: str, entries: list[dict[str, Any]]) -> set[str]:
    """The items whose decisions may look different now."""
    keys = {entry.get("creative_key") for entry in entries} - {None}
    return {item for item, row in shelf.items(name).items() if {row["content_key"], row["plan_key"]} & keys}


def hosts_of(host: str) -> tuple[str, ...]:
    """Names that requests may address where the server listens at `host`."""
    return ("127.0.0.1", "localhost", "::1", host) if is_loopback(host) else ()
