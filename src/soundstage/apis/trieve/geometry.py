"""Points on the earth, and shapes that they are in."""

from math import asin, cos, radians, sin, sqrt
from typing import NamedTuple

from soundstage.types import Document, Json

EARTH_RADIUS_M = 6_371_000.0
"""The radius of the earth in metres, as for Qdrant, which compares great circles."""


class Point(NamedTuple):
    """A place, in degrees."""

    lat: float
    lon: float


def parse_point(value: Json) -> Point | None:
    """The point of ``{lat, lon}``; None for what is none."""
    lat, lon = value.get("lat"), value.get("lon")
    if not isinstance(lat, int | float) or not isinstance(lon, int | float):
        return None
    return Point(float(lat), float(lon))


def is_in_circle(point: Point, circle: Document) -> bool:
    """Whether a point is at most ``radius`` metres away from ``center``."""
    return bool(
        _compute_distance_m(point, Point(**circle["center"])) <= circle["radius"]
    )


def _compute_distance_m(a: Point, b: Point) -> float:
    """Along the great circle (haversine)."""
    lat_a, lat_b = radians(a.lat), radians(b.lat)
    h = (
        sin((lat_b - lat_a) / 2) ** 2
        + cos(lat_a) * cos(lat_b) * sin(radians(b.lon - a.lon) / 2) ** 2
    )
    return 2 * EARTH_RADIUS_M * asin(sqrt(min(1.0, h)))


def is_in_box(point: Point, box: Document) -> bool:
    """Whether a point is between two corners; the box may cross the date line."""
    west, east = box["top_left"]["lon"], box["bottom_right"]["lon"]
    north, south = box["top_left"]["lat"], box["bottom_right"]["lat"]
    across = (
        west <= point.lon <= east
        if west <= east
        else point.lon >= west or point.lon <= east
    )
    return bool(south <= point.lat <= north and across)


def is_in_polygon(point: Point, polygon: Document) -> bool:
    """Whether a point is within the outer ring and in none of the holes."""
    holes = polygon.get("interior") or ()
    return _is_in_ring(point, polygon["exterior"]) and not any(
        _is_in_ring(point, hole) for hole in holes
    )


def _is_in_ring(point: Point, ring: list[Document]) -> bool:
    """Whether a line from the point to the east crosses the ring an odd time."""
    inside = False
    for a, b in zip(ring, ring[1:] + ring[:1], strict=True):
        if (a["lat"] > point.lat) != (b["lat"] > point.lat):
            slope = (point.lat - a["lat"]) / (b["lat"] - a["lat"])
            inside ^= point.lon < a["lon"] + slope * (b["lon"] - a["lon"])
    return inside
