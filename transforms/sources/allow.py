"""What a manifest may refer to. Manifests are not trusted: nothing is read that no rule allows.

A rule is one entry of `--allow_source`:

- a local path or `file://` URI: that file, or everything below that folder, after all symbolic links are resolved;
- `s3://bucket` or `s3://bucket/prefix`: the keys below that prefix, whole segments;
- `https://host[:port][/path]`, `http://...`: that host, port and the paths below; `*.host` stands for its subdomains,
  `*` for any host. A host whose name resolves to a private address is refused all the same;
- `http://10.1.2.3:8080`: an address written out is allowed as it is, private or not;
- `10.0.0.0/8`: a private network that allowed hosts may resolve to.

Without entries the manifest's own folder is allowed.
"""

from __future__ import annotations

import ipaddress
import os
import posixpath
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote

from urllib3.exceptions import LocationParseError
from urllib3.util import Url, parse_url

from transforms.errors import CanvasError, ConfigError, SourceNotAllowed
from transforms.storage.uris import Location, bucket_and_key, local_path, scheme_of

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
PORTS = {"http": 80, "https": 443}
_DECODINGS = 4  # a path that is encoded more often than this is refused
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052: the low 32 bits are an IPv4 address


@dataclass(frozen=True)
class SourcePolicy:
    """What rows may refer to, and how much of it is read how long.

    Attributes:
        allow: the rules, see the module; empty for the manifest's own folder.
        max_bytes: of one image file.
        connect_deadline_sec: http: for each connection.
        total_deadline_sec: http: for one image, with all its redirects and attempts.
        max_redirects: http: each is checked like the first address.
        max_attempts: http: tries in all where another try may help.
    """

    allow: tuple[str, ...] = ()
    max_bytes: int = 64 * 1024 * 1024
    connect_deadline_sec: float = 5.0
    total_deadline_sec: float = 30.0
    max_redirects: int = 5
    max_attempts: int = 3


class HostRule(NamedTuple):
    """One http(s) entry; `path` ends without a slash."""

    scheme: str
    host: str
    port: int
    path: str

    def fits(self, url: Url) -> bool:
        """Whether `url` lies under this rule."""
        host = url.host or ""
        named = self.host in ("*", host) or (self.host.startswith("*.") and host.endswith(self.host[1:]))
        path = unquote(url.path or "/")
        return named and (url.scheme, port_of(url)) == (self.scheme, self.port) and _below(path, self.path)


@dataclass(frozen=True)
class Rules:
    """The compiled entries."""

    roots: tuple[str, ...] = ()
    prefixes: tuple[Location, ...] = ()
    hosts: tuple[HostRule, ...] = ()
    networks: tuple[Network, ...] = ()

    def allows_path(self, real_path: str) -> bool:
        """Whether a path that holds no symbolic links any more lies under a rule."""
        return any(_below(real_path, root) for root in self.roots)

    def allows_object(self, at: Location) -> bool:
        """Whether a bucket's key lies under a rule; keys with `.` or `..` for a segment never do."""
        plain = not {".", ".."} & set(at.key.split("/"))
        return plain and any(at.bucket == rule.bucket and _below(at.key, rule.key) for rule in self.prefixes)

    def allows_url(self, url: Url) -> bool:
        """Whether an http(s) URL lies under a rule; its address is another question."""
        return not _climbs(url.path or "") and url.auth is None and any(rule.fits(url) for rule in self.hosts)

    def allows_address(self, url: Url, address: str) -> bool:
        """Whether `url`'s host may be reached at `address`: public, in an allowed network, or written out in a rule."""
        ip = ipaddress.ip_address(address.partition("%")[0])
        if is_public(ip) or any(ip in network for network in self.networks):
            return True
        return any(_same_address(rule.host, url.host or "", ip) and rule.fits(url) for rule in self.hosts)


def is_public(ip: Address) -> bool:
    """Whether an address is of the public internet; IPv4 addresses inside IPv6 ones count by themselves.

    >>> is_public(ipaddress.ip_address("::ffff:127.0.0.1")), is_public(ipaddress.ip_address("8.8.8.8"))
    (False, True)
    """
    inner = _inner_address(ip)
    if inner is not None:
        return is_public(inner)
    if isinstance(ip, ipaddress.IPv6Address) and ip.is_site_local:
        return False
    refused = ip.is_multicast or ip.is_reserved or ip.is_unspecified or ip.is_link_local or ip.is_loopback
    return ip.is_global and not refused


def _inner_address(ip: Address) -> ipaddress.IPv4Address | None:
    if isinstance(ip, ipaddress.IPv4Address):
        return None
    if ip in _NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)


def parse_http(uri: str) -> Url:
    """A normalised http(s) URL.

    Raises:
        SourceNotAllowed: it cannot be parsed, so nothing could allow it.
    """
    try:
        url = parse_url(uri)
    except LocationParseError as error:
        raise SourceNotAllowed(f"{uri}: not a URL", remedy="correct image_uri") from error
    if url.scheme not in PORTS or not url.host:
        raise SourceNotAllowed(f"{uri}: not an http(s) URL with a host", remedy="correct image_uri")
    return url._replace(host=url.host.strip("[]"))


def port_of(url: Url) -> int:
    """The port, or the scheme's own."""
    return url.port or PORTS[url.scheme or "http"]


@lru_cache(maxsize=256)
def compile_rules(allow: tuple[str, ...], base_uri: str) -> Rules:
    """The rules of `allow`, or of the manifest's folder `base_uri` where `allow` is empty.

    Raises:
        ConfigError: an entry is none of the forms.
    """
    roots: list[str] = []
    prefixes: list[Location] = []
    hosts: list[HostRule] = []
    networks: list[Network] = []
    for entry in allow or (base_uri,):
        kind = scheme_of(entry)
        network = _network(entry)
        if network is not None:
            networks.append(network)
        elif kind == "file":
            roots.append(_real(local_path(entry).as_posix()))
        elif kind == "s3":
            at = _checked(entry)
            prefixes.append(Location(at.bucket, at.key.rstrip("/")))
        else:
            hosts.append(_host_rule(entry))
    return Rules(tuple(roots), tuple(prefixes), tuple(hosts), tuple(networks))


def _checked(entry: str) -> Location:
    try:
        return bucket_and_key(entry)
    except CanvasError as error:
        raise ConfigError(f"--allow_source {entry}: {error}") from error


def _host_rule(entry: str) -> HostRule:
    scheme, _, rest = entry.partition("://")
    wild = rest.startswith("*")
    if wild and rest[1:2] not in ("", ".", ":", "/"):
        raise ConfigError(f"--allow_source {entry}: * stands for whole labels of a host name")
    try:
        url = parse_http(f"{scheme}://{'any' + rest[1:] if wild else rest}")
    except SourceNotAllowed as error:
        raise ConfigError(f"--allow_source {entry}: {error}") from error
    if url.auth is not None or url.query or url.fragment:
        raise ConfigError(f"--allow_source {entry}: neither user, query nor fragment belong here")
    host = url.host or ""
    host = f"*{host.removeprefix('any')}" if wild else host
    return HostRule(scheme.lower(), host, port_of(url), unquote(url.path or "").rstrip("/"))


def _network(entry: str) -> Network | None:
    try:
        return ipaddress.ip_network(entry) if "/" in entry and ":/" not in entry else None
    except ValueError:
        return None


def _same_address(rule_host: str, url_host: str, ip: Address) -> bool:
    try:
        return rule_host == url_host and ipaddress.ip_address(rule_host) == ip
    except ValueError:
        return False


def _climbs(path: str) -> bool:
    """Whether a server might read `..` in a path: some decode twice, take a backslash for a slash, or drop `;x`."""
    for _ in range(_DECODINGS):
        path = unquote(path)
    return unquote(path) != path or any(part.partition(";")[0] == ".." for part in path.replace("\\", "/").split("/"))


def _real(path: str) -> str:
    return os.path.realpath(path)


def _below(name: str, root: str) -> bool:
    return root == "" or name == root or name.startswith(root if root.endswith("/") else f"{root}/")


def resolve_uri(uri: str, base_uri: str) -> str:
    """`uri` as it stands, or a relative one below the manifest's folder `base_uri`.

    >>> resolve_uri("../shots/a.jpg", "s3://catalog/manifests")
    's3://catalog/shots/a.jpg'
    """
    if uri[:5].lower() == "data:":
        raise SourceNotAllowed("data: URIs are not accepted", remedy="store the image and refer to it")
    if "://" in uri or uri.startswith("/"):
        return uri
    if scheme_of(base_uri) == "file":
        return os.path.join(local_path(base_uri), uri)  # noqa: PTH118
    at = bucket_and_key(base_uri)
    folder = f"/{at.key}/" if at.key else "/"  # normpath keeps two slashes at the start
    return f"s3://{at.bucket}{posixpath.normpath(f'{folder}{uri}')}"
