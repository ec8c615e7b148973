"""Points on the earth, and whether a circle, a box or a polygon contains them."""

from math import asin, cos, radians, sin, sqrt
from typing import NamedTuple

from soundstage.types import Json, JsonObject

EARTH_RADIUS_M = 6_371_000.0
"""Radius of the earth in metres, which Qdrant uses for great-circle distances."""


class Point(NamedTuple):
    """A latitude and a longitude, in degrees."""

    lat: float
    lon: float


def parse_point(value: Json) -> Point | None:
    """Return the point of ``{lat, lon}``; None if these are not numbers.

    >>> parse_point({"lat": 52.5, "lon": 13})
    Point(lat=52.5, lon=13.0)
    """
    lat, lon = value.get("lat"), value.get("lon")
    if not isinstance(lat, int | float) or not isinstance(lon, int | float):
        return None
    return Point(float(lat), float(lon))


def is_in_circle(point: Point, circle: JsonObject) -> bool:
    """Whether a point is at most ``radius`` metres away from ``center``."""
    distance = _compute_distance_m(point, Point(**circle["center"]))
    return bool(distance <= circle["radius"])


def _compute_distance_m(a: Point, b: Point) -> float:
    """Return the great-circle distance in metres (haversine formula)."""
    lat_a, lat_b = radians(a.lat), radians(b.lat)
    h = (
        sin((lat_b - lat_a) / 2) ** 2
        + cos(lat_a) * cos(lat_b) * sin(radians(b.lon - a.lon) / 2) ** 2
    )
    # Rounding may exceed 1 for antipodes, where asin is undefined.
    return 2 * EARTH_RADIUS_M * asin(sqrt(min(1.0, h)))


def is_in_box(point: Point, box: JsonObject) -> bool:
    """Whether a point is between two corners; the box may cross the date line.

    >>> box = {
    ...     "top_left": {"lat": 1, "lon": 170},
    ...     "bottom_right": {"lat": -1, "lon": -170},
    ... }
    >>> is_in_box(Point(0, 180), box)
    True
    """
    west, east = box["top_left"]["lon"], box["bottom_right"]["lon"]
    north, south = box["top_left"]["lat"], box["bottom_right"]["lat"]
    if west <= east:
        is_between = west <= point.lon <= east
    else:
        is_between = point.lon >= west or point.lon <= east
    return bool(south <= point.lat <= north and is_between)


def is_in_polygon(point: Point, polygon: JsonObject) -> bool:
    """Whether a point is inside the outer ring and in none of the holes."""
    holes = polygon.get("interior") or ()
    return _is_in_ring(point, polygon["exterior"]) and not any(
        _is_in_ring(point, hole) for hole in holes
    )


def _is_in_ring(point: Point, ring: list[JsonObject]) -> bool:
    """Whether a ring contains a point (even-odd rule)."""
    is_inside = False
    # A ray from the point to the east crosses the ring an odd number of times.
    for a, b in zip(ring, ring[1:] + ring[:1], strict=True):
        if (a["lat"] > point.lat) != (b["lat"] > point.lat):
            slope = (point.lat - a["lat"]) / (b["lat"] - a["lat"])
            is_inside ^= point.lon < a["lon"] + slope * (b["lon"] - a["lon"])
    return is_inside
