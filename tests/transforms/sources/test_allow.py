from __future__ import annotations

import ipaddress
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.errors import ConfigError, SourceNotAllowed
from transforms.sources.allow import compile_rules, is_public, parse_http, resolve_uri
from transforms.storage.uris import bucket_and_key


def url_allowed(uri: str, *allow: str) -> bool:
    return compile_rules(allow, "/nowhere").allows_url(parse_http(uri))


@pytest.mark.parametrize(
    ("uri", "rule"),
    [
        ("https://img.example.com/a.jpg", "https://img.example.com"),
        ("https://IMG.example.com:443/a.jpg", "https://img.example.com"),
        ("https://img.example.com/shots/a.jpg", "https://img.example.com/shots/"),
        ("https://a.b.example.com/a.jpg", "https://*.example.com"),
        ("http://anything:8080/a.jpg", "http://*:8080"),
        ("https://img.example.com/a b.jpg?x=/../y", "https://img.example.com/"),
        ("https://bücher.example/a.jpg", "https://xn--bcher-kva.example"),
    ],
)
def test_urls_below_a_rule_are_allowed(uri: str, rule: str) -> None:
    assert url_allowed(uri, rule)


@pytest.mark.parametrize(
    ("uri", "rule"),
    [
        ("http://img.example.com/a.jpg", "https://img.example.com"),
        ("https://img.example.com:8443/a.jpg", "https://img.example.com"),
        ("https://img.example.com.evil.com/a.jpg", "https://img.example.com"),
        ("https://example.com/a.jpg", "https://*.example.com"),
        ("https://evilexample.com/a.jpg", "https://*.example.com"),
        ("https://img.example.com/shots2/a.jpg", "https://img.example.com/shots"),
        ("https://img.example.com/shots/../private/a.jpg", "https://img.example.com/shots"),
        ("https://img.example.com/shots/%2e%2e/private/a.jpg", "https://img.example.com/shots"),
        ("https://img.example.com@evil.com/a.jpg", "https://img.example.com"),
        ("https://evil.com#@img.example.com/a.jpg", "https://img.example.com"),
        ("https://evil.com\\@img.example.com/a.jpg", "https://img.example.com"),
    ],
)
def test_urls_beside_a_rule_are_not(uri: str, rule: str) -> None:
    with suppress(SourceNotAllowed):
        assert not url_allowed(uri, rule)


@pytest.mark.parametrize(
    ("uri", "allowed"),
    [
        ("s3://catalog/shots/a.jpg", True),
        ("s3://catalog/shots", True),
        ("s3://catalog/shots2/a.jpg", False),
        ("s3://catalog/shots/../private/a.jpg", False),
        ("s3://catalog/shots/./a.jpg", False),
        ("s3://catalog2/shots/a.jpg", False),
        ("s3://catalog/", False),
    ],
)
def test_keys_are_allowed_by_whole_segments(uri: str, allowed: bool) -> None:
    assert compile_rules(("s3://catalog/shots/",), "/nowhere").allows_object(bucket_and_key(uri)) is allowed


def test_a_whole_bucket_may_be_allowed() -> None:
    assert compile_rules(("s3://catalog",), "").allows_object(bucket_and_key("s3://catalog/a"))


def test_without_entries_only_the_manifests_folder_is_allowed(tmp_path: Path) -> None:
    rules = compile_rules((), str(tmp_path / "manifests"))
    assert rules.allows_path(f"{tmp_path}/manifests/a.jpg")
    assert not rules.allows_path(f"{tmp_path}/manifests2/a.jpg")
    assert not rules.allows_object(bucket_and_key("s3://catalog/a"))
    assert not rules.allows_url(parse_http("https://img.example.com/a"))


@pytest.mark.parametrize(
    "entry", ["ftp://host", "https://", "s3://", "https://u:p@host", "https://host/?q=1", "https://*host.com"]
)
def test_an_entry_of_no_known_form_stops_the_launch(entry: str) -> None:
    with pytest.raises(ConfigError, match="--allow_source"):
        compile_rules((entry,), "/nowhere")


@given(st.ip_addresses(v=4))
def test_an_address_inside_another_counts_as_itself(ip: ipaddress.IPv4Address) -> None:
    for outer in (f"::ffff:{ip}", f"64:ff9b::{ip}"):
        assert is_public(ipaddress.ip_address(outer)) == is_public(ip)


@given(st.ip_addresses())
def test_no_private_address_is_public(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    if ip.is_private or ip.is_loopback or ip.is_link_local or ip.is_multicast or ip.is_reserved or ip.is_unspecified:
        assert not is_public(ip) or (ip.version == 6 and is_public(ip.ipv4_mapped or ip))


def test_relative_references_lie_in_the_manifests_folder() -> None:
    assert resolve_uri("shots/a.jpg", "/data/in") == "/data/in/shots/a.jpg"
    assert resolve_uri("shots/a.jpg", "file:///data/in%20put") == "/data/in put/shots/a.jpg"
    assert resolve_uri("shots/a.jpg", "s3://catalog/in") == "s3://catalog/in/shots/a.jpg"
    assert resolve_uri("../../../a.jpg", "s3://catalog/in") == "s3://catalog/a.jpg"
    assert resolve_uri("a.jpg", "s3://catalog") == resolve_uri("../a.jpg", "s3://catalog") == "s3://catalog/a.jpg"
    assert resolve_uri("/a.jpg", "s3://catalog/in") == "/a.jpg"


def test_embedded_data_is_no_reference() -> None:
    with pytest.raises(SourceNotAllowed, match="data:"):
        resolve_uri("data:image/png;base64,AAAA", "/data")


@pytest.mark.parametrize(
    "climb", ["..\\..\\", "%252e%252e/", "%25252e%25252e%25252f", "..;/", "..;x=1/", "%" + "25" * 9 + "/"]
)
def test_what_a_server_might_read_as_a_way_up_is_refused(climb: str) -> None:
    rules = compile_rules(("https://img.example.com/shots",), "/nowhere")
    assert not rules.allows_url(parse_http(f"https://img.example.com/shots/{climb}secret.jpg"))
    assert rules.allows_url(parse_http("https://img.example.com/shots/a..b;v=1/100%25.jpg"))
