"""Values that a compiled schema admits, drawn from a seed."""

import re
import string

from soundstage.openapi.document import resolve_pointer

FORMATS = {
    "date-time": ("2026-01-01T00:00:00Z", "2026-02-01T01:02:03.5+01:00"),
    "date": ("2026-01-01", "2024-02-29"),
    "time": ("00:00:00Z", "23:59:59.5+01:00"),
    "duration": ("P1D", "PT0S"),
    "uuid": ("6c02aeb1-775e-418e-870b-1faccd4b2c0f", "6C02AEB1-775E-418E-870B-1FACCD4B2C0F"),
    "uri": ("https://example.com/a?b#c", "urn:a:b"),
    "uri-reference": ("/a", "?b", "https://example.com"),
    "email": ("a@example.com",),
    "idn-email": ("ä@example.com",),
    "ipv4": ("127.0.0.1",),
    "ipv6": ("::1",),
    "hostname": ("example.com",),
    "json-pointer": ("", "/a/0"),
    "regex": ("^a$",),
    "byte": ("YQ==",),
}  # fmt: skip
SAMPLES = ("abc", "a", "n", "7", "A1", "1h", "2026-01-01T00:00:00", "")
ATTEMPTS = 60


class NoValue(Exception):
    """None was found."""


def draw(schema, rng, fits=lambda _value: True):
    """A value that the compiled schema admits and that fits. Raises ``NoValue``."""
    for _ in range(ATTEMPTS):
        value = _Walk(schema.root, rng).value(schema.root, 0)
        if schema.is_valid(value) and fits(value):
            return value
    raise NoValue(schema.root)


class _Walk:
    def __init__(self, root, rng):
        self._root, self._rng = root, rng

    def value(self, node, depth):
        node = self._merged(node)
        if "const" in node:
            return node["const"]
        if "enum" in node:
            return self._rng.choice(node["enum"])
        kinds = node.get("type", _kinds(node))
        kind = self._rng.choice(kinds) if isinstance(kinds, list) else kinds
        return getattr(self, f"_{kind}")(node, depth)

    def _merged(self, node):
        """One flat schema: branches are chosen, the rest is put together."""
        if not isinstance(node, dict):
            return {}
        flat = {k: v for k, v in node.items() if k not in {"$ref", "allOf", "oneOf", "anyOf"}}
        parts = list(node.get("allOf", ()))
        parts += [resolve_pointer(self._root, node["$ref"])] if "$ref" in node else []
        parts += [self._rng.choice(node[k]) for k in ("oneOf", "anyOf") if k in node]
        if "then" in node and self._rng.random() < 0.7:
            parts.append(node["then"])
        for part in map(self._merged, parts):
            maps = ("properties", "patternProperties")
            both = {k: {**part[k], **flat.get(k, {})} for k in maps if k in part}
            required = [*flat.get("required", ()), *part.get("required", ())]
            flat = {**part, **flat, **both, "required": required}
        return flat

    def _null(self, _node, _depth):
        return None

    def _boolean(self, _node, _depth):
        return self._rng.random() < 0.5

    def _integer(self, node, _depth):
        low, high = _bounds(node, 1)
        step = node.get("multipleOf", 1)
        picked = self._rng.choice((low, high, self._rng.randint(low, high)))
        return picked // step * step if isinstance(step, int) else picked

    def _number(self, node, depth):
        if self._rng.random() < 0.3:
            return self._integer(node, depth)
        low, high = _bounds(node, 0.5)
        return round(self._rng.uniform(low, high), 2)

    def _string(self, node, _depth):
        if found := FORMATS.get(node.get("format", "")):
            return self._rng.choice(found)
        if "pattern" in node:
            fits = [s for s in SAMPLES if re.search(node["pattern"], s)]
            return self._rng.choice(fits or [""])
        low = node.get("minLength", 0)
        length = self._rng.randint(low, min(node.get("maxLength", low + 6), low + 6))
        letters = string.ascii_letters + string.digits + ' äß€😀"\\/?#&=+%,.;:|~\n'
        return "".join(self._rng.choice(letters) for _ in range(length))

    def _array(self, node, depth):
        first = [self.value(item, depth + 1) for item in node.get("prefixItems", ())]
        low = node.get("minItems", 0)
        most = min(node.get("maxItems", low + 2), low + 2) if depth < 5 else low
        count = max(0, self._rng.randint(low, most) - len(first))
        items = node.get("items", node.get("contains", {}))
        if items is False:
            return first
        return first + [self.value(items, depth + 1) for _ in range(count)]

    def _object(self, node, depth):
        known = node.get("properties", {})
        required = node.get("required", ())
        wanted = {n for n in known if n in required or self._more(depth)}
        wanted |= set(required)
        result = {
            n: self.value(known.get(n, {}), depth + 1)
            for n in sorted(wanted)
            if known.get(n) is not False
        }
        more = node.get("additionalProperties", node.get("unevaluatedProperties", True))
        if more is not False and self._rng.random() < 0.2:
            result["more"] = self.value(more, depth + 1)
        return result

    def _more(self, depth):
        return self._rng.random() < (0.5 if depth < 2 else 0.3 if depth < 5 else 0)


def _kinds(node):
    for kind, keywords in (
        (
            "object",
            {
                "properties",
                "additionalProperties",
                "required",
                "minProperties",
                "patternProperties",
            },
        ),
        ("array", {"items", "prefixItems", "contains", "minItems"}),
        ("string", {"pattern", "minLength", "maxLength", "format"}),
        ("number", {"minimum", "maximum", "exclusiveMinimum"}),
    ):
        if keywords & node.keys():
            return kind
    return ["null", "boolean", "integer", "string"]


def _bounds(node, step):
    low = node.get("minimum", node.get("exclusiveMinimum", -1000 - step) + step)
    high = node.get("maximum", node.get("exclusiveMaximum", max(low, 0) + 1000 + step) - step)
    return (int(low), int(high)) if step == 1 else (low, high)
