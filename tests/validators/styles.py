"""Values of parameters as text, as OpenAPI's styles have them (RFC 6570 is behind it)."""

from urllib.parse import quote

DELIMITERS = {"spaceDelimited": "%20", "pipeDelimited": "|"}


def text_of(value):
    """A scalar as text, as JSON writes it but for the quotes of a text."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case float():
            return repr(value)
        case dict() | list():
            return ""
    return str(value)


def _quoted(value, node=None):
    safe = ":/?@!$'()*;" if node and node.get("allowReserved") else ""
    return quote(text_of(value), safe=safe)


def path_of(template, values):
    """A path template, filled in."""
    for name, value, node in values:
        template = template.replace(f"{{{name}}}", _in_path(name, value, node))
    return template


def _in_path(name, value, node):
    style, explode = node.get("style", "simple"), node.get("explode", False)
    if style == "simple":
        return _joined(value, ",", _quoted, explode=explode)
    if style == "label":
        return "." + _joined(value, "." if explode else ",", _quoted, explode=explode)
    if explode and isinstance(value, dict):
        return "".join(f";{_quoted(k)}={_quoted(v)}" for k, v in value.items())
    items = value if explode and isinstance(value, list) else [value]
    return "".join(f";{name}={_joined(v, ',', _quoted)}" for v in items)


def _joined(value, delimiter, write, *, explode=False):
    if isinstance(value, dict):
        between = "=" if explode else ","
        pairs = (f"{write(k)}{between}{write(v)}" for k, v in value.items())
        return delimiter.join(pairs)
    items = value if isinstance(value, list) else [value]
    return delimiter.join(map(write, items))


def query_of(values):
    """Pairs of names and texts, percent-encoded."""
    return [pair for one in values for pair in _in_query(*one)]


def _in_query(name, value, node):
    style = node.get("style", "form")
    explode = node.get("explode", style == "form")
    key = quote(name, safe="")

    def write(inner):
        return _quoted(inner, node)

    if style == "deepObject":
        return list(_deep(key, value, write))
    if isinstance(value, dict) and explode:
        return [(quote(k), write(v)) for k, v in value.items()]
    if isinstance(value, list) and explode:
        return [(key, write(v)) for v in value]
    if isinstance(value, list) and not value:
        return []
    return [(key, _joined(value, DELIMITERS.get(style, ","), write))]


def _deep(key, value, write):
    for name, inner in value.items():
        step = f"{key}%5B{quote(name)}%5D"
        if isinstance(inner, dict):
            yield from _deep(step, inner, write)
        else:
            yield step, write(inner)


def headers_of(values):
    """Header lines."""
    return [
        (name, _joined(value, ",", text_of, explode=node.get("explode", False)))
        for name, value, node in values
    ]
