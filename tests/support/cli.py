"""Commands of the command line, run in the process of the test: quick, and the same."""

import contextlib
import io
import subprocess

from soundstage.cli import main


def run_command(*arguments: str) -> subprocess.CompletedProcess[str]:
    """What a command says, and its exit code."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main(arguments)
        except SystemExit as error:
            code = int(error.code or 0)
    return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())
