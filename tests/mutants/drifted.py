"""Drifts: responses that no longer match the document of the notes API.

``caught_by`` lists the findings of ``soundstage verify``, as ``status:rule:pointer``.
"""

from dataclasses import replace
from functools import partial

from mutants.broken import GET, LIST, Bug, bug

DRIFTS: dict[str, Bug] = {}

drift = partial(bug, bugs=DRIFTS)


def with_notes(got, change):
    """Return the response with its first note changed."""
    if got.status != 200:
        return got
    first, *rest = got.json["notes"] or [{}]
    return got.with_json({**got.json, "notes": [change(first), *rest] if first else []})


@drift(LIST, caught_by="200:required:/notes/*/title")
async def field_removed(sent, on):
    """a required field is missing"""
    return with_notes(await on(sent), lambda n: {k: n[k] for k in n if k != "title"})


@drift(LIST, caught_by="200:type:/total")
async def type_changed(sent, on):
    """a number becomes a string"""
    got = await on(sent)
    return got.with_json({**got.json, "total": "12"}) if got.status == 200 else got


@drift(LIST, caught_by="200:enum:/notes/*/status")
async def enum_widened(sent, on):
    """an enum has another member"""
    return with_notes(await on(sent), lambda n: {**n, "status": "postponed"})


@drift(LIST, caught_by="200:type:/notes/*/createdAt")
async def null_allowed(sent, on):
    """a field may be null"""
    return with_notes(await on(sent), lambda n: {**n, "createdAt": None})


@drift(GET, caught_by="200:format:/createdAt")
async def format_changed(sent, on):
    """a timestamp has another format"""
    got = await on(sent)
    changed = {**got.json, "createdAt": "31 December"} if got.status == 200 else None
    return got.with_json(changed) if changed else got


@drift(LIST, caught_by="203:status:")
async def status_undocumented(sent, on):
    """an undocumented status"""
    got = await on(sent)
    return replace(got, status=203) if got.status == 200 else got


@drift(LIST, caught_by="200:header:/X-Total")
async def header_missing(sent, on):
    """a required header is missing"""
    return (await on(sent)).without_header(b"x-total")


@drift(LIST, caught_by="200:header:/X-Total", parameters="status")
async def header_changed(sent, on):
    """a header is no longer a number"""
    got = await on(sent)
    return got.with_header(b"x-total", b"many") if got.status == 200 else got


@drift(LIST, caught_by="200:media_type:")
async def media_type_changed(sent, on):
    """JSON has become something else"""
    got = await on(sent)
    return got.with_header(b"content-type", b"text/csv") if got.status == 200 else got


@drift(LIST, caught_by="200:body:")
async def body_gone(sent, on):
    """the body is missing"""
    got = await on(sent)
    empty = replace(got, body=b"").with_header(b"content-length", b"0")
    return empty if got.status == 200 else got


@drift(GET, caught_by="400:required:/message")
async def error_changed(sent, on):
    """errors have another body"""
    got = await on(sent)
    return got.with_json({"error": "no"}) if got.status == 400 else got


@drift(LIST, caught_by="503:status: 503:server_error:")
async def server_fails(sent, on):
    """the server fails"""
    got = await on(sent)
    return replace(got, status=503) if got.status == 200 else got
