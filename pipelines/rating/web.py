"""A blind rating session in a browser."""

from __future__ import annotations

import hmac
import re
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, abort, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response as AnyResponse

from pipelines.rating.pictures import blind_jpeg
from pipelines.rating.questions import QUESTIONS
from pipelines.rating.study import Study, TakenAlready, TooEarly
from pipelines.rating.units import Unit
from transforms.errors import CanvasError, ConfigError
from transforms.storage.store import StoreConfig

LOOPBACK = ("127.0.0.1", "localhost", "::1")
_NAME = re.compile(r"[\w .@-]{1,40}")
_POLICY = (
    "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)


@dataclass(frozen=True)
class SessionRules:
    """How a session goes.

    Attributes:
        original_sec: seconds that the original is shown before the output.
        output_sec: seconds that the output is shown before it can be judged.
        host: bound address; only loopback goes without a token.
        token: what raters have to know, "" for none.
    """

    original_sec: float = 3.0
    output_sec: float = 3.0
    host: str = "127.0.0.1"
    token: str = ""

    def __post_init__(self) -> None:
        if self.host not in LOOPBACK and len(self.token) < 16:
            raise ConfigError(
                f"--host {self.host} is reachable by others: a token of 16 characters and more is needed",
                remedy="put it into the environment variable that --token_env names",
            )
        if not 0 <= self.original_sec <= 60 or not 0 <= self.output_sec <= 60:
            raise ConfigError("--original_sec and --output_sec must lie within [0, 60]")


def make_app(study: Study, config: StoreConfig, rules: SessionRules) -> Flask:
    """The web application of a study."""
    app = Flask(__name__)
    app.secret_key = study.secret
    app.config.update(
        SESSION_COOKIE_NAME="canvas_rating",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Strict",
        MAX_CONTENT_LENGTH=64 * 1024,
    )
    pages = _Pages(study, config, rules)
    app.before_request(pages.guard)
    app.after_request(_harden)
    app.context_processor(lambda: {"csrf": _csrf()})
    app.add_url_rule("/", view_func=pages.start, endpoint="start")
    app.add_url_rule("/enter", view_func=pages.enter, methods=["POST"], endpoint="enter")
    app.add_url_rule("/rate", view_func=pages.rate, endpoint="rate")
    app.add_url_rule("/answer", view_func=pages.answer, methods=["POST"], endpoint="answer")
    app.add_url_rule("/undo", view_func=pages.undo, methods=["POST"], endpoint="undo")
    app.add_url_rule("/image/<unit>/<which>", view_func=pages.image, endpoint="image")
    return app


def _csrf() -> str:
    if "csrf" not in session:
        session["csrf"] = secrets.token_urlsafe(24)
    return str(session["csrf"])


def _harden(response: AnyResponse) -> AnyResponse:
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers.setdefault("Cache-Control", "no-store")
    return response


@dataclass(frozen=True)
class _Pages:
    study: Study
    config: StoreConfig
    rules: SessionRules

    def guard(self) -> None:
        """Refuse foreign host names on loopback (DNS rebinding), forms without this session's token, and strangers."""
        host = urlsplit(f"//{request.host}").hostname
        if self.rules.host in LOOPBACK and host not in LOOPBACK:
            abort(403, "not reachable by this name")
        if request.method == "POST" and not hmac.compare_digest(
            request.form.get("csrf", "").encode(), _csrf().encode()
        ):
            abort(400, "the form has expired: go back, reload the page and try again")
        if request.endpoint not in ("start", "enter", "static") and "rater" not in session:
            abort(403, "enter your name first")

    def start(self) -> AnyResponse | str:
        """Who rates?"""
        if "rater" in session:
            return redirect(url_for("rate"))
        return render_template("enter.html", token=bool(self.rules.token), mode=self.study.mode, wrong="")

    def enter(self) -> AnyResponse | tuple[str, int]:
        """Let a rater in."""
        name = " ".join(request.form.get("rater", "").split()).casefold()
        token = request.form.get("token", "")
        wrong = ""
        if not _NAME.fullmatch(name):
            wrong = "Give a name of letters, digits, spaces and . - _ @, 40 characters at most."
        elif self.rules.token and not hmac.compare_digest(token.encode(), self.rules.token.encode()):
            wrong = "That is not the session's token."
        if wrong:
            page = render_template("enter.html", token=bool(self.rules.token), mode=self.study.mode, wrong=wrong)
            return page, 403
        session["rater"] = name
        return redirect(url_for("rate"))

    def rate(self) -> str:
        """The next unit, or thanks."""
        rater = session["rater"]
        unit, progress = self.study.take(rater), self.study.progress(rater)
        if unit is None:
            return render_template("done.html", progress=progress, rater=rater)
        page = "rate.html" if unit.second is None else "choose.html"
        questions = QUESTIONS[unit.first.task]
        notice = session.pop("notice", "")
        return render_template(
            page, unit=unit, questions=questions, rules=self.rules, progress=progress, rater=rater, notice=notice
        )

    def answer(self) -> AnyResponse:
        """Keep an answer, or pass a unit that cannot be shown."""
        rater, unit_id = session["rater"], request.form.get("unit", "")
        unit = self.study.held(unit_id, rater)
        if unit is None:
            session["notice"] = "That one was given to others meanwhile; here is the next."
            return redirect(url_for("rate"))
        if "pass" in request.form:
            self.study.skip(unit_id, rater)
            return redirect(url_for("rate"))
        least = self.rules.original_sec + self.rules.output_sec
        try:
            self.study.answer(unit_id, rater, _answer_of(unit), least)
        except TooEarly:
            session["notice"] = "Please look at both images first."
        except TakenAlready:
            session["notice"] = "Two others have answered that one meanwhile; here is the next."
        return redirect(url_for("rate"))

    def undo(self) -> AnyResponse:
        """Take the last answer back."""
        if not self.study.undo(session["rater"]):
            session["notice"] = "There is nothing to take back."
        return redirect(url_for("rate"))

    def image(self, unit: str, which: str) -> Response:
        """One image of a unit that the rater holds."""
        held = self.study.held(unit, session["rater"])
        uris = {} if held is None else _uris(held)
        if which not in uris:
            abort(404)
        try:
            data = blind_jpeg(uris[which], self.config)
        except CanvasError:
            abort(410)
        return Response(data, mimetype="image/jpeg")


def _uris(unit: Unit) -> dict[str, str]:
    if unit.second is None:
        return {"original": unit.first.original_uri, "output": unit.first.output_uri}
    return {
        "original": unit.first.original_uri,
        "left": unit.first.output_uri,
        "right": unit.second.output_uri,
    }


def _answer_of(unit: Unit) -> dict[str, Any]:
    if unit.second is None:
        given = {question.name: request.form.get(question.name, "") for question in QUESTIONS[unit.first.task]}
        if any(value not in ("0", "1") for value in given.values()):
            abort(400, "every question wants an answer")
        return {name: int(value) for name, value in given.items()}
    choices = {"left": unit.first.id, "right": unit.second.id, "tie": "tie"}
    choice = request.form.get("choice", "")
    if choice not in choices:
        abort(400, "choose one of the two, or neither")
    return {"choice": choices[choice]}
