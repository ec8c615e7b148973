"""docs/proxy.md: its commands are run, and say what it says they say."""

import re
import shlex
import signal
import subprocess
from urllib.parse import urlsplit

import httpx
import pytest

from soundstage.cli import build_parser
from support.docs import DOCS, blocks
from support.server import SOUNDSTAGE, next_line, running_server

pytestmark = pytest.mark.slow

PAGE = (DOCS / "proxy.md").read_text()
KEYS = {
    "x-algolia-application-id": "ALGOLIA_APPLICATION_ID",
    "x-algolia-api-key": "ALGOLIA_API_KEY",
}


def command(line, **replaced):
    words = shlex.split(line)
    assert words[0] == "soundstage"
    return [*SOUNDSTAGE, *(replaced.get(word, word) for word in words[1:])]


def without_figures(text):
    """The text without times, and what else differs from run to run."""
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "NOW", text)
    text = re.sub(r"\d+ operations", "N operations", text)
    return re.sub(r"\d+ ms$", "N ms", text, flags=re.MULTILINE)


def said_by_the_proxy(folder, upstream, line, asked):
    service = "https://data.us.algolia.com"
    words = [*command(line, **{service: upstream}), "--port", "0"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=folder)
    try:
        first = process.stdout.readline()
        url = first.split()[3]
        for method, path in asked:
            httpx.request(method, f"{url}{path}", headers=KEYS)
        process.send_signal(signal.SIGINT)
        said = first + process.stdout.read()
    finally:
        process.kill()
        process.communicate(timeout=10)
    return said.replace(url, "http://127.0.0.1:4011").replace(upstream, service)


def test_its_commands_do_what_it_shows(tmp_path):
    shown = blocks("proxy.md")
    (proxy,), (record, serve) = (
        block.splitlines() for language, block in shown if language == "sh"
    )
    (text,) = (block for language, block in shown if language == "text")
    asked = re.findall(r"  (GET) (\S+)  \d+ ms$", text, re.MULTILINE)
    assert len(asked) == 2
    with running_server("--api", "algolia-ingestion") as production:
        said = said_by_the_proxy(tmp_path, production.url, proxy, asked)
    assert without_figures(said) == without_figures(text)
    subprocess.run(command(record), cwd=tmp_path, check=True, timeout=60)
    with (tmp_path / "out").open("w+") as out:
        words = [*command(serve), "--port", "0"]
        process = subprocess.Popen(words, stdout=out, cwd=tmp_path)
        try:
            with (tmp_path / "out").open() as lines:
                url = next_line(lines).split()[-1]
            path = urlsplit(asked[0][1]).path
            assert httpx.get(f"{url}{path}", headers=KEYS).json()["status"] == "created"
        finally:
            process.terminate()
            process.wait(10)


@pytest.mark.parametrize("name", ["proxy", "record"])
def test_every_option_is_in_the_page(name):
    commands = build_parser()._subparsers._group_actions[0].choices
    for action in commands[name]._actions:
        for option in action.option_strings[-1:]:
            assert option in {"--help", "--api"} or f"`{option}" in PAGE, option


def test_its_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)#]+)", PAGE):
        assert (DOCS / target).exists(), target
