"""The router: literal before template, segments before decoding."""

import pytest

from soundstage.openapi.router import Router

TEMPLATES = [
    "/",
    "/runs",
    "/runs/{run}",
    "/runs/latest",
    "/runs/{run}/events",
    "/runs/latest/logs",
    "/specs/{api}.json",
    "/specs/{api}",
    "/files/v{major}.{minor}",
    "/{any}/x/{last}",
]


@pytest.fixture(scope="module")
def router():
    router = Router()
    for template in TEMPLATES:
        router.add("GET", template, template)
    return router


@pytest.mark.parametrize(
    ("path", "template", "values"),
    [
        ("/", "/", {}),
        ("/runs", "/runs", {}),
        ("/runs/1", "/runs/{run}", {"run": "1"}),
        ("/runs/latest", "/runs/latest", {}),
        ("/runs/latest/events", "/runs/{run}/events", {"run": "latest"}),
        ("/runs/a%2Fb", "/runs/{run}", {"run": "a/b"}),
        ("/runs/%C3%A9%20%25", "/runs/{run}", {"run": "é %"}),
        ("/runs/a%0Ab", "/runs/{run}", {"run": "a\nb"}),
        ("/runs/%00", "/runs/{run}", {"run": "\0"}),
        ("/runs/a+b", "/runs/{run}", {"run": "a+b"}),
        ("/runs/%zz", "/runs/{run}", {"run": "%zz"}),
        ("/specs/trieve.json", "/specs/{api}.json", {"api": "trieve"}),
        ("/specs/a.b.json", "/specs/{api}.json", {"api": "a.b"}),
        ("/specs/trieve.yaml", "/specs/{api}", {"api": "trieve.yaml"}),
        ("/specs/.json", "/specs/{api}", {"api": ".json"}),
        ("/files/v1.20", "/files/v{major}.{minor}", {"major": "1", "minor": "20"}),
        ("/runs/x/y", "/{any}/x/{last}", {"any": "runs", "last": "y"}),
    ],
)
def test_a_path_is_found_with_the_values_in_it(router, path, template, values):
    match = router.find(path.encode(), "GET")
    assert match.methods == {"GET": template}
    assert match.values == values


@pytest.mark.parametrize(
    "path",
    [
        *("", "runs", "//", "/runs/", "/runs//events", "/Runs", "/runs/1/", "/nope"),
        *("/files/v1", "/files/v.1", "/runs/%FF", "/runs/\xe9", "/runs/1/events/2"),
    ],
)
def test_any_other_path_is_not(router, path):
    assert router.find(path.encode("latin-1"), "GET") is None


def test_every_method_of_a_path_is_known_whatever_was_asked():
    router = Router()
    router.add("GET", "/a/{x}", 1)
    router.add("PUT", "/a/{y}", 2)
    assert router.find(b"/a/b", "PUT").methods == {"GET": 1, "PUT": 2}
    assert router.find(b"/a/b", "GET").values == {"x": "b"}
    assert router.find(b"/a/b", "PUT").values == {"y": "b"}
    assert router.find(b"/a/b", "BREW").methods == {"GET": 1, "PUT": 2}


def test_a_literal_path_without_the_method_still_stands_before_a_template():
    router = Router()
    router.add("GET", "/a/{x}", 1)
    router.add("PUT", "/a/b", 2)
    assert router.find(b"/a/b", "GET").methods == {"PUT": 2}


def test_a_path_that_was_not_there_is_found_when_it_is():
    router = Router()
    router.add("GET", "/a", 1)
    assert router.find(b"/b", "GET") is None
    router.add("GET", "/b", 2)
    assert router.find(b"/b", "GET").methods == {"GET": 2}


def test_a_long_path_is_found_and_not_remembered():
    router = Router()
    router.add("GET", "/{a}", 1)
    long = b"/" + b"a" * 1000
    assert router.find(long, "GET").values == {"a": "a" * 1000}
    assert router._cached_find.cache_info().currsize == 0
    assert router.find(b"/b", "GET").values == {"a": "b"}
    assert router._cached_find.cache_info().currsize == 1
