# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Media: upload, read, download, delete; and resumable uploads of template samples."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from urllib.parse import quote

from ..whatsapp.call import Call, Raw
from ..whatsapp.errors import GraphError, Json, invalid, missing, not_found
from ..whatsapp.state import Media, Phone, State, Upload
from ..world import World

_MEGA = 1024 * 1024
_OFFICE = "application/vnd.openxmlformats-officedocument."
OLD_OFFICE = frozenset(
    {"application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint"}
)
NEW_OFFICE = frozenset(
    {
        _OFFICE + "wordprocessingml.document",
        _OFFICE + "spreadsheetml.sheet",
        _OFFICE + "presentationml.presentation",
    }
)
DOCUMENTS = frozenset({"text/plain", "application/pdf"}) | OLD_OFFICE | NEW_OFFICE
# Bytes that Meta takes of each kind (Cloud API, page "Media", 2026-09).
LIMITS: dict[str, int] = {
    **dict.fromkeys(DOCUMENTS, 100 * _MEGA),
    **dict.fromkeys(("image/jpeg", "image/png"), 5 * _MEGA),
    **dict.fromkeys(
        ("audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"), 16 * _MEGA
    ),
    **dict.fromkeys(("video/mp4", "video/3gpp"), 16 * _MEGA),
    "image/webp": 500 * 1024,
}
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"%PDF", "application/pdf"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"OggS", "audio/ogg"),
    (b"#!AMR", "audio/amr"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"\xff\xf1", "audio/aac"),
    (b"\xff\xf9", "audio/aac"),
)
DOWNLOADS = "/whatsapp_business/attachments/"
_HTML = "text/html; charset=utf-8"
_URL_LIFE = 300
_SAMPLES = frozenset(
    {"application/pdf", "image/jpeg", "image/jpg", "image/png", "video/mp4"}
)
_REFUSED_AGENTS = ("python-requests", "okhttp", "python-urllib")
_PARAMETER = re.compile(rb';\s*(name|filename)="((?:[^"\\]|\\.)*)"')


def sniff(content: bytes, declared: str) -> str:
    """Tell what the bytes are; the declared type wins where they could be it."""
    for magic, mime in _MAGIC:
        if content.startswith(magic):
            return mime
    if content[4:8] == b"ftyp":
        kinds = ("video/3gpp", "video/mp4", "audio/mp4")
        return declared if declared in kinds else "video/mp4"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if content.startswith(b"PK\x03\x04"):
        return declared if declared in NEW_OFFICE else "application/zip"
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        return declared if declared in OLD_OFFICE else "application/msword"
    return "text/plain" if b"\x00" not in content[:4096] else "application/octet-stream"


def parse_multipart(
    body: bytes, content_type: str
) -> dict[str, tuple[bytes, str, str]]:
    """Read a multipart body: name -> (content, file name, content type)."""
    match = re.search(r'boundary="?([^";]+)"?', content_type)
    if match is None:
        return {}
    found = {}
    for part in body.split(b"--" + match.group(1).encode("latin-1")):
        head, blank, content = part.partition(b"\r\n\r\n")
        if not blank:
            continue
        names = {k: v.decode("utf-8", "replace") for k, v in _PARAMETER.findall(head)}
        mime = re.search(rb"(?i)content-type:\s*([^\r\n;]+)", head)
        kind = mime.group(1).decode("latin-1").strip().lower() if mime else ""
        name = names.get(b"name", "")
        found[name] = (content.removesuffix(b"\r\n"), names.get(b"filename", ""), kind)
    return found


class Files:
    """Keep what is uploaded: files of messages, samples of templates."""

    def __init__(self, world: World, state: State) -> None:
        self.world, self.state = world, state

    def upload(self, call: Call) -> Json:
        """POST /{phone}/media."""
        boundary = str(call.headers.get("Content-Type", ""))
        parts = parse_multipart(call.body, boundary)
        if parts.get("messaging_product", (b"", "", ""))[0] != b"whatsapp":
            raise missing("messaging_product")
        if "file" not in parts:
            raise missing("file")
        content, filename, part_mime = parts["file"]
        given = parts.get("type", (b"", "", ""))[0].decode("latin-1").strip().lower()
        declared = (given or part_mime).split(";")[0]
        _check_upload(content, declared, part_mime)
        phone = call.phone()
        return {"id": self.store(phone, content, filename, declared).uid}

    def store(
        self,
        phone: Phone,
        content: bytes,
        filename: str,
        mime: str,
        inbound: bool = False,
    ) -> Media:
        """Keep a file and give it an id."""
        digest = hashlib.sha256(content).hexdigest()
        media = Media(
            self.state.next_id(40),
            phone.waba_uid,
            phone.uid,
            mime,
            sniff(content, mime),
            digest,
            len(content),
            filename,
            self.world.clock.now(),
            inbound,
        )
        self.state.blobs.put(digest, content)
        self.state.media[media.uid] = media
        return media

    def url(self, media: Media, base_url: str) -> str:
        """Return an address for the download that works for five minutes."""
        until = int(self.world.clock.now()) + _URL_LIFE
        query = f"mid={media.uid}&source=getMedia&ext={until}&hash=sim"
        return f"{base_url}{DOWNLOADS}?{query}"

    def describe(self, call: Call) -> Json:
        """GET /{media}."""
        media = self.state.media[call.object_id]
        wanted = call.query.get("phone_number_id")
        if wanted and wanted != media.phone_uid:
            raise not_found("GET", media.uid)
        life = (7 if media.inbound else 30) * 86_400
        if self.world.clock.now() - media.created > life:
            raise not_found("GET", media.uid)
        return {
            "messaging_product": "whatsapp",
            "url": self.url(media, call.base_url),
            "mime_type": media.mime,
            "sha256": media.sha256,
            "file_size": media.size,
            "id": media.uid,
        }

    def delete(self, call: Call) -> Json:
        """DELETE /{media}."""
        del self.state.media[call.object_id]
        return {"success": True}

    def download(self, call: Call, waba_uids: set[str]) -> Raw:
        """Serve the bytes, under the conditions of Meta's CDN."""
        agent = str(call.headers.get("User-Agent", "")).lower()
        if not agent or agent.startswith(_REFUSED_AGENTS):
            return Raw(
                b"<html><body>Sorry, something went wrong.</body></html>", 400, _HTML
            )
        media = self.state.media.get(call.query.get("mid", ""))
        expires = call.query.get("ext", "0")
        late = not expires.isdigit() or int(expires) < self.world.clock.now()
        if media is None or late or media.waba_uid not in waba_uids:
            return Raw(b"<html><body>Not found</body></html>", 404, _HTML)
        content = self.state.blobs.get(media.sha256)
        if content is None:
            return Raw(b"<html><body>Not kept</body></html>", 404, _HTML)
        return Raw(content, 200, media.mime)

    def start_upload(self, call: Call) -> Json:
        """POST /{app}/uploads."""
        mime = call.need("file_type").lower()
        length = call.need("file_length")
        if mime not in _SAMPLES:
            allowed = ", ".join(sorted(_SAMPLES))
            raise GraphError(
                100, message=f"Param file_type must be one of {{{allowed}}}"
            )
        if not length.isdigit() or not 0 < int(length) <= 100 * _MEGA:
            raise GraphError(100, message="Param file_length must be a valid size")
        token = b64encode(self.state.next_id(50).encode()).decode("ascii").rstrip("=")
        uid = f"upload:MTphdHRhY2htZW50{token}"
        name = str(call.payload().get("file_name") or "")
        record = Upload(uid, call.object_id, mime, int(length), name)
        self.state.uploads[uid] = record
        return {"id": uid}

    def continue_upload(self, call: Call) -> Json:
        """POST or GET /upload:...: take bytes from an offset, or tell how far it got."""
        record = self.state.uploads.get(call.object_id)
        assert call.token is not None
        if record is None or record.app_uid != call.token.app_uid:
            raise not_found(call.method, call.object_id)
        scheme = str(call.headers.get("Authorization", "")).split(" ", 1)[0]
        if scheme.lower() != "oauth":
            raise GraphError(
                100, message="The Authorization header must be OAuth <token>"
            )
        if call.method == "GET":
            return {"id": record.uid, "file_offset": len(record.received)}
        offset = str(call.headers.get("file_offset", ""))
        if not offset.isdigit() or int(offset) != len(record.received):
            raise GraphError(100, message=f"file_offset must be {len(record.received)}")
        record.received.extend(call.body)
        if len(record.received) < record.length:
            return {"id": record.uid, "file_offset": len(record.received)}
        return {"h": self._handle(record)}

    def _handle(self, record: Upload) -> str:
        name = b64encode(quote(record.filename).encode()).decode("ascii")
        mime = b64encode(record.mime.encode()).decode("ascii")
        record.handle = f"4::{mime}:{name}:{record.uid.rsplit(':', 1)[1]}"
        self.state.handles[record.handle] = record
        return record.handle


def _check_upload(content: bytes, declared: str, part_mime: str) -> None:
    if declared not in LIMITS or (part_mime and part_mime not in LIMITS):
        allowed = ", ".join(sorted(LIMITS))
        wrong = part_mime if part_mime and part_mime not in LIMITS else declared
        raise GraphError(
            100,
            message=f"Param file must be a file with one of the following types: "
            f"{allowed}. Received file of type '{wrong}'.",
        )
    if not content:
        raise invalid("Param file must not be empty")
    if len(content) > LIMITS[declared]:
        details = (
            f"File is {len(content)} bytes, at most {LIMITS[declared]} are allowed"
        )
        raise GraphError(131053, details)
