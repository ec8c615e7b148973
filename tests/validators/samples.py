"""For every rule an exchange that needs it, so that none is idle whatever is drawn."""

from soundstage.exchange.recorded import RecordedExchange
from validators.exchanges import Case

JSON = {"Content-Type": "application/json"}
TEXT = {"Content-Type": "text/plain"}
UUID = "6c02aeb1-775e-418e-870b-1faccd4b2c0f"
OLD, NEW = "keywords-3.0", "keywords-3.1"


def samples(api):
    """Those of one document; what was changed is ``sample`` and the rule."""
    return [
        Case(api, operation, side, f"sample: {rule}", exchange)
        for rule, (where, operation, side, exchange) in {**SAMPLES, **RARE}.items()
        if where == api
    ]


def asked(api, operation, line, headers=(), body=b""):
    """A request that one judge refuses."""
    return api, operation, "request", _exchange(line, headers, body)


def told(api, operation, asks, status, headers, body=b""):
    """An answer that one judge refuses, to a good request."""
    answer = (status, tuple(headers.items()), body)
    return api, operation, "answer", _exchange(*asks, answer=answer)


def _exchange(line, headers=(), body=b"", *, answer=(200, (), b"")):
    return RecordedExchange(*line.split(" "), tuple(dict(headers).items()), body, *answer)


def posted(api, operation, body, headers=JSON):
    """A body for one of the operations that are named like their path."""
    path = "".join(f"-{c.lower()}" if c.isupper() else c for c in operation)
    return asked(api, operation, f"POST /{path}", headers, body)


SAMPLES = {
    "an undocumented parameter": asked(OLD, "spread", "GET /spread?z=1"),
    "a scalar that is sent twice": asked(OLD, "scalars", "GET /scalars?integer=1&integer=1"),
    "percent-encoded bytes that are not UTF-8": asked(OLD, "scalars", "GET /scalars?integer=1&text=a%C3"),
    "numbers as Python reads them": asked(OLD, "scalars", "GET /scalars?integer=%2B1"),
    "booleans as Python libraries read them": asked(OLD, "scalars", "GET /scalars?integer=1&boolean=1"),
    "an empty text for a query parameter": asked(OLD, "scalars", "GET /scalars?integer=1&reserved="),
    "a joined list where it explodes": asked(OLD, "lists", "GET /lists?form=1,2"),
    "an object within a deepObject": asked("trigger-dev", "list_runs_v1", "GET /api/v1/runs?filter%5BcreatedAt%5D%5Bfrom%5D=2026-01-01T00:00:00Z"),
    "an empty value in a path": asked("trieve", "get_dataset_by_tracking_id", "GET /api/dataset/tracking_id/", {"TR-Organization": UUID}),
    "a joined list that is repeated too": asked(OLD, "lists", "GET /lists?joined=a&joined=1"),
    "quotes around a cookie, and what is no ASCII in it": asked(OLD, "cookies", "GET /cookies", {"Cookie": "session= 1"}),
    "a null, or an empty list, in a parameter or header": asked(OLD, "scalars", "GET /scalars?integer=1&maybe=null"),
    "values in a path, percent-encoded": asked(OLD, "path", "GET /path/%E2%82%AC/1"),
    "styles label and matrix": asked(OLD, "label", "GET /label/.1/.n/.n/.x=1"),
    "styles that Connexion does not know": asked(OLD, "label", "GET /label/.1/.n/.n/.x=1"),
    "headers and cookies are texts to Connexion": asked(OLD, "headers", "GET /headers", {"X-Integer": "1"}),
    "a delimiter in a path": asked(OLD, "path", "GET /path/a%2Fb/1"),
    "a schema without type": asked(OLD, "content", "GET /content?where=%7B%22x%22:1%7D"),
    "a deepObject that is no object": asked("trigger-dev", "list_runs_v1", "GET /api/v1/runs?filter"),
    "a property of an object that is sent twice": asked(OLD, "deep", "GET /deep?filter%5Bsize%5D=1&filter%5Bsize%5D=a"),
    "an object that is spread over the query": asked(OLD, "spread", "GET /spread?x=a"),
    "pipeDelimited or spaceDelimited, exploded": asked(OLD, "lists", "GET /lists?pipesSpread=1"),
    "a list that spaces delimit": asked(OLD, "lists", "GET /lists?spaces=1%202"),
    "NaN and infinities": posted(OLD, "bare", b"NaN"),
    "numbers that no double can hold": posted(OLD, "bare", b"1e400"),
    "a byte order mark": posted(OLD, "bare", b"\xef\xbb\xbf1"),
    "half of a surrogate pair, escaped": posted(OLD, "bare", rb'"\ud800"'),
    "bytes that are not UTF-8": posted(OLD, "media", b"\xff", TEXT),
    "a space before a parameter of a media type": posted(OLD, "media", b"1", {"Content-Type": "application/json ;a=b"}),
    "a media type in capitals": posted(OLD, "media", b"true", {"Content-Type": "APPLICATION/JSON"}),
    "a body without a media type": posted(OLD, "media", b"1", {}),
    "media types that a validator cannot read": posted(OLD, "media", b"more than ten", TEXT),
    "JSON in a range whose schema is a text": posted(OLD, "ranges", b"1", JSON),
    "an empty text": told(OLD, "media", ["POST /media", JSON, b"1"], 200, TEXT),
    "a text in a media type range": posted(OLD, "ranges", b"a", {"Content-Type": "a/b"}),
    "an error in another media type": told(OLD, "media", ["POST /media", JSON, b"1"], 400, JSON, b'{"x": 1}'),
    "what is no media type": posted(OLD, "ranges", b"a", {"Content-Type": "json"}),
    "JSON that is nested deeply": posted(OLD, "bare", b"[" * 1000 + b"]" * 1000),
    "a form in a range": posted(OLD, "ranges", b"a", {"Content-Type": "application/x-www-form-urlencoded"}),
    "no body where one is required": posted(OLD, "ranges", b"", TEXT),
    "a range of statuses": told(OLD, "media", ["POST /media", JSON, b"1"], 422, {"Content-Type": "application/problem+json"}, b"{}"),
    "a status that is not documented": told(OLD, "bare", ["POST /bare", JSON, b"1"], 422, JSON, b"1"),
    "no body where JSON is promised": told(OLD, "bare", ["POST /bare", JSON, b"1"], 200, JSON),
    "a body where the contract has none": told(OLD, "spread", ["GET /spread"], 200, JSON, b"{}"),
    "a list of types in a parameter": asked(NEW, "scalars", "GET /scalars?integer=1&maybe=1"),
    "keywords that draft 4 does not know": posted(NEW, "only31", b'{"begun": ["a"]}'),
    "exclusive bounds, which draft 4 has otherwise": posted(NEW, "numbers", b'{"more": 1}'),
    "keywords that draft 4 does not know, passed over": posted(NEW, "only31", b'{"const": 2}'),
    "the year 0000": posted(OLD, "texts", b'{"instant": "0000-01-01T00:00:00Z"}'),
    "formats that openapi-core does not know": posted(OLD, "texts", b'{"uri": "a b"}'),
    "a whole number that is written with an exponent": posted(NEW, "numbers", b'{"int64": 1e30}'),
    "a line feed at the end, and a pattern": posted(OLD, "texts", rb'{"word": "a\n"}'),
    "a time of day": posted(NEW, "only31", b'{"time": "00:00:00Z"}'),
    "required, of what is read-only or write-only, in 3.1": posted(NEW, "sides", b'{"name": "a", "secret": "b"}'),
    "one value per line": asked("trigger-dev", "stream_batch_items_v3", "POST /api/v3/batches/a/items", {"Content-Type": "application/x-ndjson"}, b'{"index": 0, "task": "a"}\n{"index": 1, "task": "b"}'),
    "a format that Connexion does not know": posted(OLD, "texts", b'{"uuid": "a"}'),
    "integers of 32 and of 64 bits": posted(OLD, "numbers", b'{"int32": 2147483648}'),
    "1.0 for an integer": posted(OLD, "numbers", b'{"integer": 1.0}'),
    "whole numbers of more than 64 bits": posted(OLD, "numbers", b'{"even": 18446744073709551617}'),
    "a leap second": posted(OLD, "texts", b'{"instant": "2016-12-31T23:59:60Z"}'),
    "fractions of which a number is a multiple": posted(OLD, "numbers", b'{"cents": 514.32}'),
    "null beside allOf": asked("trieve", "remove_chunk_from_group", f"DELETE /api/chunk_group/chunk/{UUID}", {**JSON, "TR-Dataset": "a"}, b"null"),
    "null that is allowed and not in the list": posted(OLD, "nulls", b'{"enumOnly": null}'),
    "read-only data in a request, or write-only data in a response": posted(OLD, "sides", b'{"id": 1, "name": "a", "secret": "b"}'),
    "required, of what is read-only or write-only": posted(OLD, "sides", b'{"name": "a", "secret": "b"}'),
    "a discriminator that names no schema": posted(OLD, "choices", b'{"pet": {"kind": "", "lives": 1}}'),
    "a body that need not be there": asked(OLD, "media", "POST /media"),
}  # fmt: skip

ONE = ["GET /headers", {"X-Integer": "1"}]
TWO = ["POST /sides", JSON, b'{"id": 1, "name": "a", "secret": "b"}']
RARE = {
    "a header that is required": told(OLD, "headers", ONE, 200, JSON, b"1"),
    "a header of a type": told(OLD, "headers", ONE, 200, {**JSON, "X-Count": "a"}, b"1"),
    "one side": told(OLD, "sides", TWO, 200, JSON, b'{"id": 1, "name": "a"}'),
    "the other side": told(OLD, "sides", TWO, 200, JSON, b'{"secret": "", "name": ""}'),
    "a schema that depends": posted(NEW, "only31", b'{"dependentSchema": {"a": 1}}'),
    "bytes in base64": posted(OLD, "texts", b'{"byte": "Y!"}'),
}
"""What chance seldom draws."""
