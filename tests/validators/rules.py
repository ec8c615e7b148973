"""Why the validators disagree: a rule for each reason, with the deciding sentence.

A rule explains one reason of the validator that rejects. A case is explained if each of its
reasons is explained by the first rule, in this order, that matches it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote

from soundstage.exchange.recorded import get_header, get_query_pairs
from soundstage.openapi.body import essence

CORE, STOCK = "openapi-core", "Connexion"
US = OURS = "ours"
STRICT = "ours, by decision"
OPEN = "left open"


@dataclass(frozen=True)
class Rule:
    """``who`` rejects what ``others`` accept, for a reason that matches this pattern.

    ``says`` is the deciding sentence; if it is not ``quoted`` it is in our words.
    ``when`` tests the case, ``text`` tests the sent text of the parameter.
    """

    name: str
    who: tuple[str, ...]
    others: tuple[str, ...]
    reason: str
    right: str
    decided: str
    says: str
    why: str
    quoted: bool = False
    when: Callable = lambda _case: True
    text: Callable | None = None

    def fits(self, who, other, case, reason):
        """Whether it explains that ``who`` refuses for this reason and ``other`` not."""
        return (
            who in self.who
            and other in self.others
            and re.search(self.reason, reason, re.DOTALL) is not None
            and self.when(case)
            and (self.text is None or any(map(self.text, _texts(case, reason))))
        )


def explained(case, ours, theirs, other):
    """The rules for each reason of a disagreement; ``None`` where there is none."""
    who, reasons = ("ours", ours) if ours else (other, theirs)
    other = other if ours else "ours"
    return {
        reason: next((r for r in RULES if r.fits(who, other, case, reason)), None)
        for reason in reasons
    }


def _sent(case):
    return case.exchange.response_body if case.side == "answer" else case.exchange.request_body


def _kind(case):
    answer = case.side == "answer"
    headers = case.exchange.response_headers if answer else case.exchange.request_headers
    return get_header(headers, "content-type")


def _has(pattern):
    """The body has bytes like these."""
    return lambda case: re.search(pattern, _sent(case), re.DOTALL) is not None


def _asks(pattern):
    """The request line, or a header of the message that is judged, has such a text."""

    def when(case):
        answer = case.side == "answer"
        headers = case.exchange.response_headers if answer else case.exchange.request_headers
        text = "\n".join((case.exchange.url, *(value for _, value in headers)))
        return re.search(pattern, text, re.MULTILINE) is not None

    return when


def _new(case):
    return case.api not in {"trieve", "keywords-3.0"}


def _of(*operations):
    return lambda case: case.operation in operations


def _texts(case, reason):
    """What was sent for the parameter, or header, that a reason of ours is about."""
    place, _, name = reason.partition(" ")[0].partition(".")
    name, *inner = re.sub(r"\[.*", "", name).split(".")
    match place:
        case "query":  # of an object each property is a pair
            names = {name + "".join(f"[{n}]" for n in inner), *inner}
            found = [v for n, v in get_query_pairs(case.exchange) if n in names]
        case "header":
            found = [v for n, v in case.exchange.request_headers if n.lower() == name.lower()]
        case "answer":
            found = [v for n, v in case.exchange.response_headers if n.lower() == name.lower()]
        case "cookie":
            found = re.findall(
                rf"{name}=([^;]*)", get_header(case.exchange.request_headers, "cookie")
            )
        case _:
            found = re.split("[/;=.]", unquote(case.exchange.url.partition("?")[0]))
    return [part for text in found for part in (text, *re.split("[,| ]", text))]


def _python_number(text):
    try:
        float(text)
    except ValueError:
        return False
    return not re.fullmatch(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?", text, re.ASCII)


def _python_boolean(text):
    words = {"", "1", "0", "yes", "no", "on", "off", "y", "n", "t", "f", "true", "false"}
    return text.lower() in words and text not in {"true", "false"}


def _not_utf8(case):
    try:
        _sent(case).decode()
    except UnicodeDecodeError:
        return True
    return False


_PLACE = r"^(query|path|header|cookie|answer)\.\S+ "
_LATER = (
    r"^(body|answer)\.(const const|begun\[0\] type|contains (contains|m..Contains)"
    r"|closed unevaluatedProperties|ended unevaluatedItems|ended\[0\] type"
    r"|dependent dependentRequired|dependentSchema required|names propertyNames"
    r"|conditional (type|minimum)|sibling maxLength)$"
)
"""Names in keywords31.yaml, each with the keyword that draft 4 does not have."""
BOTH = (CORE, STOCK)

RULES = (
    # the line and the headers of requests, and headers of answers
    Rule(
        "an undocumented parameter", (US,), (CORE,),
        r"^query(\.\S*)? unknown", STRICT, "ADR 3",
        "So unknown query parameters and repeated scalars are refused though some vendors ignore them",
        "OpenAPI does not define what to do with others; a typo in a name is found only if it is rejected",
        quoted=True,
    ),
    Rule(
        "a scalar that is sent twice", (US,), BOTH,
        r"^(query|header)\.\S+ repeated", STRICT, "ADR 3",
        "So unknown query parameters and repeated scalars are refused though some vendors ignore them",
        "openapi-core takes the first, Connexion the last; the client can mean only one",
        quoted=True,
    ),
    Rule(
        "percent-encoded bytes that are not UTF-8", (US,), BOTH,
        r"^(query encoding|path route)$", OURS, "RFC 3986, 2.5",
        "text is made octets by UTF-8 first, and those are percent-encoded then",
        "the others put a sign in the place of the bytes",
        when=_asks(r"%C3(?!%)"),
    ),
    Rule(
        "numbers as Python reads them", (US,), BOTH,
        _PLACE + "(type|enum|oneOf|anyOf)$", OURS, "RFC 8259, 6",
        "number = [ minus ] int [ frac ] [ exp ]",
        "Python's int() and float() take +1, 1_000, spaces, and digits of other scripts",
        quoted=True,
        text=_python_number,
    ),
    Rule(
        "booleans as Python libraries read them", (US,), BOTH,
        r"\.(on|boolean|either|X-Boolean|wait|watch|enabled|with\w+|delete_chunks) (type|oneOf)$", OURS, "RFC 8259, 3",
        "The literal names MUST be lowercase. No other literal names are allowed.",
        "they take 1, 0, yes, on and True for booleans",
        quoted=True,
        text=_python_boolean,
    ),
    Rule(
        "an empty text for a query parameter", (CORE,), (US,),
        r"EmptyQueryParameterValue", OPEN, "OpenAPI 3.1.1, Parameter Object, allowEmptyValue",
        "Interactions between this field and the parameter's Schema Object are implementation-defined.",
        "here only the schema decides whether an empty text is valid",
        quoted=True,
    ),
    Rule(
        "a joined list where it explodes", (US,), (STOCK,),
        r"^query\.\w+\[\d+\] (type|enum)$", OURS, "OpenAPI 3.0.3, Parameter Object, Style Examples",
        "a list that explodes is color=blue&color=black, a pair of the query for each item",
        "Connexion splits at commas all the same", when=_asks(r"[?&][\w-]+=[^&]*(,|%2C)"),
    ),
    Rule(
        "an object within a deepObject", (CORE,), (US,),
        r"Query parameter error: filter", OPEN, "OpenAPI 3.0.3, Parameter Object, Style Values",
        "Provides a simple way of rendering nested objects using form parameters.",
        "deeper objects are not specified; Trigger.dev's clients send filter[createdAt][from]", quoted=True,
        when=_asks(r"filter%5B\w+%5D%5B"),
    ),
    Rule(
        "an empty value in a path", (US,), (CORE,),
        r"^path route$", STRICT, "OpenAPI 3.0.3, Parameter Object, required",
        'If the parameter location is "path", this property is REQUIRED and its value MUST be true.',
        "an empty required value cannot be distinguished from another path", quoted=True,
        when=_asks(r"/(/|\?|$)"),
    ),
    Rule(
        "a joined list that is repeated too", (US,), BOTH,
        r"^query\.[\w-]+(\[\d+\] enum|\[\d+\] type| maxItems| uniqueItems)$", STRICT, "ADR 3",
        "a list is taken joined by commas, repeated, or both",
        "the others look at one of the pairs only",
        quoted=True, when=_asks(r"[?&]([\w-]+)=.*&\1(=|&|$)"),
    ),
    Rule(
        "quotes around a cookie, and what is no ASCII in it", BOTH, (US,),
        r"is too short|required cookie", OPEN, "RFC 6265, 4.1.1",
        "cookie-value = *cookie-octet / ( DQUOTE *cookie-octet DQUOTE )",
        "ours takes the text after the =; the others parse it", quoted=True, when=_asks(r'^(session|count)=("| |é)'),
    ),
    Rule(
        "a null, or an empty list, in a parameter or header", BOTH, (US,),
        r"CastError: Failed to cast value to integer type: (null)? <-|'(null)?' is not", OPEN, "RFC 6570, 2.3",
        "a variable that is undefined, or a list of no members, has no value and is left out",
        "OpenAPI has no way to write them; clients write null, or nothing",
        when=_asks(r"null|=(&|$)|^$|[?&][\w-]+(&|$)"),
    ),
    Rule(
        "values in a path, percent-encoded", (CORE,), (US,),
        r"Path parameter error.*%|InvalidParameter .*'[^']*%[^']*' (is too long|is not|does not)", OURS, "RFC 3986, 6.2.2.2",
        "%41 and A are the same: unreserved characters that were percent-encoded are to be decoded",
        "openapi-core takes them as they were sent",
        when=_asks(r"^/[^?]*%"),
    ),
    Rule(
        "styles label and matrix", (CORE,), (US,),
        r"path parameter", OURS, "OpenAPI 3.0.3, Parameter Object, Style Values",
        "Path-style parameters defined by RFC6570",
        "openapi-core finds no path of style matrix", quoted=True,
        when=_of("matrix", "label"),
    ),
    Rule(
        "styles that Connexion does not know", (STOCK,), (US,),
        r"404 Not Found|is not of type|Extra query parameter|does not match|crash", OURS, "OpenAPI 3.0.3, Parameter Object, style",
        "Describes how the parameter value will be serialized depending on the type of the parameter value.",
        "it knows no label, no matrix, and no object but a deepObject", quoted=True,
        when=_of("matrix", "label", "objects", "spread"),
    ),
    Rule(
        "headers and cookies are texts to Connexion", (STOCK,), (US,),
        r"400 '.*' is not of type '(integer|boolean|array|object|number)'", OURS, "OpenAPI 3.0.3, Parameter Object, style",
        "Describes how the parameter value will be serialized depending on the type of the parameter value.",
        "it reads no value of another type from them", quoted=True,
        when=_of("headers", "cookies"),
    ),
    Rule(
        "a delimiter in a path", (STOCK,), (US,),
        r"404 Not Found|^307", OURS, "RFC 3986, 2.2",
        "URIs that differ in the replacement of a reserved character with its corresponding percent-encoded octet are not equivalent.",
        "Connexion decodes first and finds a slash, or a line feed, then", quoted=True,
        when=_asks(r"^/[^?]*%(2F|0A)"),
    ),
    Rule(
        "a schema without type", (STOCK,), (US,),
        r"crash 500 KeyError: 'type'", OURS, "JSON Schema Validation 2020-12, 6.1.1",
        "type is one assertion among others: without it, values of every type will do",
        "Connexion fails on a parameter without a type",
    ),
    Rule(
        "a deepObject that is no object", (US,), (STOCK,),
        r"^query\.filter unknown", OURS, "OpenAPI 3.0.3, Parameter Object, Style Values",
        "Provides a simple way of rendering nested objects using form parameters.",
        "filter= names no property; Connexion ignores it", quoted=True,
    ),
    Rule(
        "a property of an object that is sent twice", (US, *BOTH), (US, *BOTH),
        r"^query\.(filter|page)\.\S+ (type|minLength)$|'' should be non-empty|Query parameter error: filter|is not of type", OPEN, "OpenAPI 3.0.3, Parameter Object, Style Values",
        "Provides a simple way of rendering nested objects using form parameters.",
        "ours takes the last, the others the first", quoted=True,
        when=_asks(r"[?&](\w+%5B\w+%5D)=.*&\1="),
    ),
    Rule(
        "an object that is spread over the query", (US,), (CORE,),
        r"^query\.point", OURS, "OpenAPI 3.0.3, Parameter Object, explode",
        "When this is true, parameter values of type array or object generate separate parameters for each value of the array or key-value pair of the map.",
        "openapi-core does not look for the properties", quoted=True, when=_of("spread"),
    ),
    Rule(
        "pipeDelimited or spaceDelimited, exploded", (CORE,), (US,),
        r"pipesSpread", OPEN, "OpenAPI 3.1.1, Style Examples",
        "for an exploded list the table has no example of these styles",
        "here it is read as form is, since there is nothing left to delimit",
    ),
    Rule(
        "a list that spaces delimit", (CORE,), (US,),
        r"Query parameter error: spaces", OURS, "OpenAPI 3.0.3, Parameter Object, Style Values",
        "Space separated array values.",
        "openapi-core looks for %20 in a text that is decoded", quoted=True,
    ),
    # the bytes of bodies
    Rule(
        "NaN and infinities", (US,), BOTH,
        r"(body|answer) json$", OURS, "RFC 8259, 6",
        "Numeric values that cannot be represented in the grammar below (such as Infinity and NaN) are not permitted.",
        "Python's json takes them", quoted=True, when=_has(rb"NaN|Infinity"),
    ),
    Rule(
        "numbers that no double can hold", (US,), BOTH,
        r"(body|answer) json$|^query\.\S+ type$", OURS, "RFC 8259, 6",
        "This specification allows implementations to set limits on the range and precision of numbers accepted.",
        "ours takes what a double can hold", quoted=True,
        when=lambda case: _has(rb"1e400|10{308}")(case) or _asks("=1e400")(case),
    ),
    Rule(
        "a byte order mark", (US,), BOTH,
        r"(body|answer) json$", OURS, "RFC 8259, 8.1",
        "Implementations MUST NOT add a byte order mark (U+FEFF) to the beginning of a networked-transmitted JSON text.",
        "a reader may pass over it, and need not", quoted=True, when=_has(rb"^\xef\xbb\xbf"),
    ),
    Rule(
        "half of a surrogate pair, escaped", (US,), BOTH,
        r"(body|answer) json$", OURS, "RFC 8259, 8.2",
        "the behavior of software that receives JSON texts containing such values is unpredictable",
        "it is no text, and cannot be sent on", quoted=True, when=_has(rb"\\ud800"),
    ),
    Rule(
        "bytes that are not UTF-8", (US,), BOTH,
        r"(body|answer) (json|encoding)$", OURS, "RFC 8259, 8.1",
        "JSON text exchanged between systems that are not part of a closed ecosystem MUST be encoded using UTF-8",
        "Python's json guesses UTF-16; where there is no schema, openapi-core does not look", quoted=True, when=_not_utf8,
    ),
    # the media types of bodies
    Rule(
        "a space before a parameter of a media type", (STOCK,), (US,),
        r"application/json \)", OURS, "RFC 9110, 5.6.6",
        'parameters = *( OWS ";" OWS [ parameter ] )',
        "Connexion keeps the space", quoted=True,
    ),
    Rule(
        "a media type in capitals", (US,), (STOCK,),
        r"^(body|answer)", OURS, "RFC 9110, 8.3.1",
        "The type and subtype tokens are case-insensitive.",
        "Connexion has a validator for application/json, and none for APPLICATION/JSON", quoted=True,
        when=lambda case: essence(_kind(case)) != _kind(case).partition(";")[0].strip(),
    ),
    Rule(
        "a body without a media type", (CORE,), (US,),
        r"mimetype not found: no/type", STRICT, "RFC 9110, 8.3",
        'If a Content-Type header field is not present, the recipient MAY either assume a media type of "application/octet-stream" or examine the data to determine its type.',
        "here it is the first that the contract names", quoted=True,
        when=lambda case: not _kind(case),
    ),
    Rule(
        "media types that a validator cannot read", (US,), (STOCK,),
        r"^(body|answer)(?! required)", OURS, "OpenAPI 3.0.3, Media Type Object, schema",
        "The schema defining the content of the request, response, or parameter.",
        "Connexion looks into JSON and forms only", quoted=True,
        when=lambda case: not essence(_kind(case)).endswith("/json") and not essence(_kind(case)).endswith("+json"),
    ),
    Rule(
        "JSON in a range whose schema is a text", (STOCK,), (US,),
        r"Expecting value|is not of type 'string'|Extra data|Unterminated|Invalid (control|\\)|delimiter", STRICT, "OpenAPI 3.0.3, Media Type Object, schema",
        "The schema defining the content of the request, response, or parameter.",
        "a file of any kind is taken as it is, JSON too (Trieve's uploads)", quoted=True, when=_of("ranges", "media"),
    ),
    Rule(
        "an empty text", (CORE,), (US,),
        r"MissingData", OPEN, "RFC 9110, 6.4",
        "content may be empty: a text of no characters",
        "openapi-core takes it for no body at all",
        when=lambda case: not _sent(case) and not essence(_kind(case)).endswith("json"),
    ),
    Rule(
        "a text in a media type range", (CORE,), (US,),
        r"is not of type|MissingData|Deserialize", OURS, "OpenAPI 3.0.3, Response Object, content",
        "The key is a media type or media type range and the value describes it.",
        "openapi-core keeps the bytes and rejects them as not text",
        quoted=True, when=_of("ranges"),
    ),
    Rule(
        "an error in another media type", (US,), (STOCK,),
        r"^answer media type$", OURS, "OpenAPI 3.0.3, Response Object, content",
        "A map containing descriptions of potential response payloads.",
        "from 400 on Connexion does not look; below, it takes the media types of all statuses together", quoted=True,
    ),
    Rule(
        "what is no media type", BOTH, (US,),
        r"mimetype not found: \. |Invalid Content-type \(json\)", OPEN, "RFC 9110, 8.3.1",
        'media-type = type "/" subtype parameters',
        "ours takes it for any, where a contract takes any", quoted=True, when=_of("ranges"),
    ),
    Rule(
        "JSON that is nested deeply", BOTH, (US,),
        r"RecursionError", OPEN, "RFC 8259, 9",
        "An implementation may set limits on the maximum depth of nesting.",
        "Python's json reads less deeply, and fails", quoted=True,
    ),
    Rule(
        "a form in a range", (STOCK,), (US,),
        r"formData|MultiPartException", STRICT, "OpenAPI 3.0.3, Media Type Object, schema",
        "The schema defining the content of the request, response, or parameter.",
        "a file of any kind is taken as it is", quoted=True, when=_of("ranges", "put_csv_or_jsonl"),
    ),
    Rule(
        "no body where one is required", (US,), (STOCK,),
        r"^body required$", OURS, "OpenAPI 3.0.3, Request Body Object, required",
        "Determines if the request body is required in the request.",
        "Connexion does not look where the media type is a range", quoted=True,
    ),
    # what is answered
    Rule(
        "a range of statuses", (US,), (STOCK,),
        r"^answer", OURS, "OpenAPI 3.0.3, Responses Object",
        "To define a range of response codes, this field MAY contain the uppercase wildcard character X.",
        "Connexion knows codes and default only", quoted=True,
        when=lambda case: case.operation == "media" and case.exchange.status // 100 == 4,
    ),
    Rule(
        "a status that is not documented", (US,), (STOCK,),
        r"^answer status$", STRICT, "OpenAPI 3.0.3, Responses Object",
        "However, documentation is expected to cover a successful operation response and any known errors.",
        "all responses of this server are known", quoted=True,
    ),
    Rule(
        "no body where JSON is promised", (US,), (STOCK,),
        r"^answer body$", OURS, "RFC 8259, 2",
        "JSON-text = ws value ws",
        "Connexion ignores a response without bytes", quoted=True, when=lambda case: not _sent(case),
    ),
    Rule(
        "a body where the contract has none", (US,), BOTH,
        r"^answer body$", STRICT, "OpenAPI 3.0.3, Response Object, content",
        "A map containing descriptions of potential response payloads.",
        "where there is no map there is no payload; 204 can have none at all (RFC 9110, 15.3.5)", quoted=True, when=_sent,
    ),
    # what schemas say
    Rule(
        "a list of types in a parameter", BOTH, (US,),
        r"Expected a string value, got <class 'list'>|^400 '-?\d+' is not of type 'integer', 'null'", OURS, "JSON Schema Validation 2020-12, 6.1.1",
        "The value of this keyword MUST be either a string or an array.",
        "they expect one type, and fail or leave a text a text", quoted=True,
        when=lambda case: _new(case) and case.operation == "scalars",
    ),
    Rule(
        "keywords that draft 4 does not know", (STOCK,), (US,),
        r"is not of type 'integer' - 'begun\.|crash 500 TypeError: 'bool' object is not iterable", OURS, "OpenAPI 3.1.0, Schema Object",
        "This object is a superset of the JSON Schema Specification Draft 2020-12.",
        "Connexion has the meta-schema of 3.0 and the validator of draft 4, for documents of 3.1 too", quoted=True, when=_of("only31", "booleans"),
    ),
    Rule(
        "exclusive bounds, which draft 4 has otherwise", (US,), (STOCK,),
        r" exclusiveM(in|ax)imum$", OURS, "JSON Schema Validation 2020-12, 6.2.5",
        "The value of exclusiveMinimum MUST be a number, representing an exclusive lower limit for a numeric instance.",
        "to draft 4 it is true or false", quoted=True, when=_new,
    ),
    Rule(
        "keywords that draft 4 does not know, passed over", (US,), (STOCK,),
        _LATER, OURS, "OpenAPI 3.1.0, Schema Object",
        "This object is a superset of the JSON Schema Specification Draft 2020-12.",
        "Connexion has the meta-schema of 3.0 and the validator of draft 4, for documents of 3.1 too", quoted=True, when=_of("only31"),
    ),
    Rule(
        "the year 0000", BOTH, (US,),
        r"0000-", OURS, "RFC 3339, 5.6",
        "date-fullyear = 4DIGIT",
        "Python's datetime begins with the year 1", quoted=True,
    ),
    Rule(
        "formats that openapi-core does not know", (US,), (CORE,),
        r"^(body|answer)\S*\.(?!instant|date|uuid|email|ipv4|byte)\S+ format$", OURS, "JSON Schema Validation 2020-12, 7.3.5",
        "A string instance is valid against this attribute if it is a valid URI, according to RFC3986.",
        "as it is installed, it knows none of uri, duration and json-pointer", quoted=True,
    ),
    Rule(
        "a whole number that is written with an exponent", (US,), (CORE,),
        r" (maximum|minimum)$", OURS, "OpenAPI 3.0.3, Data Types",
        "signed 64 bits (a.k.a long)",
        "openapi-core holds the format of numbers against Python's int only", quoted=True, when=_has(rb"\de\+?\d|\d\.0\b"),
    ),
    Rule(
        "a line feed at the end, and a pattern", (US,), BOTH,
        r" pattern$", OURS, "JSON Schema Validation 2020-12, 6.3.3",
        "This string SHOULD be a valid regular expression, according to the ECMA-262 regular expression dialect.",
        "Python's $ also matches before a last line feed; its digits are those of all scripts", quoted=True,
        when=lambda case: _has(rb"\\n|\\u0663")(case) or _asks("%0A")(case),
    ),
    Rule(
        "a time of day", (CORE,), (US,),
        r"is not a 'time'", OURS, "JSON Schema Validation 2020-12, 7.3.1",
        "a time is what the full-time rule of RFC 3339, 5.6 admits, 00:00:00Z for one",
        "openapi-core's checker wants none of its own",
    ),
    Rule(
        "required, of what is read-only or write-only, in 3.1", (CORE,), (US,),
        r"'(id|secret)' is a required property", STRICT, "OpenAPI 3.1.1, Schema Object, readOnly",
        "how required goes together with readOnly and writeOnly is left to implementations",
        "ours treats both versions like 3.0: only the side that can contain it must contain it", when=_of("sides"),
    ),
    Rule(
        "one value per line", (STOCK,), (US,),
        r"is not of type 'array'$|Extra data: line 2 column 1 |Expecting value: line 1 column 2 ", STRICT, "OpenAPI 3.1.1, Media Type Object",
        "up to 3.1 media types of many values are not specified; 3.2 gives them their own schema",
        "here their schema is that of the list of all lines; Connexion reads one JSON text",
        when=_of("stream_batch_items_v3"),
    ),
    Rule(
        "a format that Connexion does not know", (US,), (STOCK,),
        r" (format|anyOf|oneOf)$", OURS, "JSON Schema Validation 2020-12, 7.3.5",
        "A string instance is valid against this attribute if it is a valid string representation of a UUID, according to RFC4122.",
        "it has the formats of draft 4 only", quoted=True,
    ),
    Rule(
        "integers of 32 and of 64 bits", (US,), (STOCK,),
        r" (maximum|minimum)$", OURS, "OpenAPI 3.0.3, Data Types",
        "signed 64 bits (a.k.a long)",
        "Connexion passes over formats of numbers", quoted=True,
    ),
    Rule(
        "1.0 for an integer", BOTH, (US,),
        r"(\d\.0|\de\+?\d+) is not of type 'integer'|(\d\.0|\de\+?\d+) is not valid under any", OPEN, "JSON Schema Validation 2020-12, 6.1.1",
        '"integer" which matches any number with a zero fractional part',
        "OpenAPI 3.0 has it otherwise (Data Types: a JSON number without a fraction or exponent part); ours reads both versions as 3.1 does",
        quoted=True, when=_has(rb"\d\.0\b|\de\+?\d"),
    ),
    Rule(
        "whole numbers of more than 64 bits", BOTH, (US,),
        r"-?\d{19,} is not a multiple of", OPEN, "RFC 8259, 6",
        "This specification allows implementations to set limits on the range and precision of numbers accepted.",
        "ours reads them as doubles, which are even", quoted=True,
    ),
    Rule(
        "a leap second", BOTH, (US,),
        r"23:59:60", OURS, "RFC 3339, 5.6",
        "time-second = 2DIGIT ; 00-58, 00-59, 00-60 based on leap second rules",
        "Python's datetime has no such second", quoted=True,
    ),
    Rule(
        "fractions of which a number is a multiple", BOTH, (US,),
        r"is not a multiple of 0.01", OURS, "JSON Schema Validation 2020-12, 6.2.1",
        "A numeric instance is valid only if division by this keyword's value results in an integer.",
        "a double's remainder is not the number's", quoted=True,
    ),
    Rule(
        "null beside allOf", BOTH, (US,),
        r"None (is not|for not nullable)|None.* is not valid under any", STRICT, "OpenAPI 3.0.3, Schema Object, nullable",
        'A true value adds "null" to the allowed type specified by the type keyword, only if type is explicitly defined within the same Schema Object.',
        "to the letter nullable means nothing there; vendors mean null by it", quoted=True,
        when=lambda case: case.api == "trieve" and _has(rb"null")(case),
    ),
    Rule(
        "null that is allowed and not in the list", (US,), (STOCK,),
        r" enum$", OURS, "JSON Schema Validation 2020-12, 6.1.2",
        "An instance validates successfully against this keyword if its value is equal to one of the elements in this keyword's array value.",
        "nullable widens type, not enum; Connexion looks at nothing else where it sees null", quoted=True,
        when=lambda case: case.operation == "nulls" and _has(rb"null")(case),
    ),
    Rule(
        "read-only data in a request, or write-only data in a response", BOTH, (US,),
        r"read-only|write-only", OPEN, "OpenAPI 3.0.3, Schema Object, readOnly",
        "This means that it MAY be sent as part of a response but SHOULD NOT be sent as part of the request.",
        "data that should not be sent is not invalid", quoted=True,
    ),
    Rule(
        "required, of what is read-only or write-only", (STOCK,), (US,),
        r"'(id|secret)' is a required property", OURS, "OpenAPI 3.0.3, Schema Object, readOnly",
        "If the property is marked as readOnly being true and is in the required list, the required will take effect on the response only.",
        "Connexion asks for it on both sides", quoted=True, when=_of("sides"),
    ),
    Rule(
        "a discriminator that names no schema", (CORE,), (US,),
        r"discriminat|could not be resolved", OURS, "OpenAPI 3.1.1, Discriminator Object",
        "Note that discriminator MUST NOT change the validation outcome of the schema.",
        "openapi-core validates by its value", quoted=True,
    ),
    Rule(
        "a body that need not be there", (STOCK,), (US,),
        r"RequestBody is required|must not be empty", OURS, "OpenAPI 3.0.3, Request Body Object, required",
        "Determines if the request body is required in the request. Defaults to false.",
        "Connexion asks for one that has a schema; null and [] are none to it", quoted=True,
    ),
)  # fmt: skip
