"""The programs `kustomize` and `helm`, started where the user asks for them, and for nothing else.

They run on a copy of the given paths without symlinks, in an empty home, without a way to the network, and for a bounded
time. Nothing of the user's environment reaches them.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Sequence
from types import TracebackType
from typing import IO, TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from tempfile import TemporaryDirectory

TIMEOUT_S = 60
# For all that programs do in one run.
TOTAL_S = 600
MAX_OUTPUT = 64_000_000
_LONGEST_REASON = 300
# Where nothing listens: what a program would fetch fails at once.
_NOWHERE = "http://127.0.0.1:9"


class MissingProgramError(Exception):
    """A program that the user asks for is not installed."""


@attrs.frozen
class Ran:
    """What a program wrote; `failure` says why that is nothing, empty where it ran well."""

    output: str
    failure: str = ""
    is_limit: bool = False


class Programs:
    """Starts programs in a folder of their own, which is gone when the `with` block ends."""

    def __init__(self) -> None:
        self._folder: TemporaryDirectory[str] | None = None
        self._paths: dict[str, str] = {}
        self._count = 0
        self._spent_s = 0.0
        self.versions: dict[str, str] = {}

    def __enter__(self) -> Programs:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    @property
    def names(self) -> tuple[str, ...]:
        """The programs that ran, each with its version."""
        return tuple(f"{name} {version}".strip() for name, version in sorted(self.versions.items()))

    def folder(self, name: str) -> str:
        """A folder for files that programs work on."""
        import tempfile

        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="k8snetlint-", ignore_cleanup_errors=True)
        path = os.path.join(os.path.realpath(self._folder.name), name)
        os.makedirs(path, exist_ok=True)
        return path

    def new_folder(self, name: str) -> str:
        """A folder that nothing else works on."""
        self._count += 1
        return self.folder(f"{name}-{self._count}")

    def run(self, name: str, arguments: Sequence[str], directory: str) -> Ran:
        """Starts a program in a folder. Raises MissingProgramError where it is not installed."""
        if name not in self.versions:
            version = "version", *(("--short",) if name == "helm" else ())
            ran = self._run(self._path(name), version, directory)
            self.versions[name] = ran.output.strip().split("\n")[0].strip()
        if self._spent_s >= TOTAL_S:
            return Ran("", f"`{name}` is not started: programs took {TOTAL_S} s already", is_limit=True)
        start = time.monotonic()
        ran = self._run(self._path(name), arguments, directory)
        self._spent_s += time.monotonic() - start
        return ran

    def _path(self, name: str) -> str:
        path = self._paths.get(name) or shutil.which(name)
        if path is None:
            raise MissingProgramError(
                f"`{name}` is not installed, and `--render program` needs it; "
                "install it, or leave `--render` out: k8snetlint renders by itself"
            )
        self._paths[name] = os.path.abspath(path)
        return self._paths[name]

    def _run(self, path: str, arguments: Sequence[str], directory: str) -> Ran:
        import subprocess
        import tempfile

        name = os.path.basename(path)
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
            try:
                subprocess.run(
                    [path, *arguments],
                    cwd=directory,
                    env=self._environment(),
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=errors,
                    timeout=TIMEOUT_S,
                    check=True,
                )
            except subprocess.TimeoutExpired:
                return Ran("", f"`{name}` took more than {TIMEOUT_S} s", is_limit=True)
            except subprocess.CalledProcessError:
                return Ran("", f"`{name}` failed: {_why(_read(errors, MAX_OUTPUT), directory)}")
            except OSError as error:
                return Ran("", f"`{name}` cannot be started: {(error.strerror or 'unknown error').lower()}")
            text = _read(out, MAX_OUTPUT + 1)
            if len(text) > MAX_OUTPUT:
                return Ran("", f"`{name}` writes more than {MAX_OUTPUT:,} bytes", is_limit=True)
            return Ran(text)

    def _environment(self) -> dict[str, str]:
        home = self.folder("home")
        found = {
            "PATH": "",
            "HOME": home,
            "TMPDIR": home,
            "KUBECONFIG": os.devnull,
            "GIT_ALLOW_PROTOCOL": "none",
            **{f"XDG_{part}_HOME": os.path.join(home, part.lower()) for part in ("CONFIG", "CACHE", "DATA")},
            **{name: _NOWHERE for proxy in ("HTTP_PROXY", "HTTPS_PROXY") for name in (proxy, proxy.lower())},
        }
        if "SYSTEMROOT" in os.environ:
            found["SYSTEMROOT"] = os.environ["SYSTEMROOT"]
        return found


def _read(file: IO[bytes], size: int) -> str:
    file.seek(0)
    return file.read(size).decode("utf-8", "replace")


def _why(text: str, directory: str) -> str:
    """What a program says of its failure, without the place of the copy, and of a chain of failures the last."""
    lines = [line.strip() for line in text.replace(directory + os.sep, "").splitlines() if line.strip()]
    said = next((line for line in lines if line.startswith("Error: ")), lines[-1] if lines else "it does not say why")
    said = said.removeprefix("Error: ")
    said = said[max(said.rfind("accumulating "), 0) :]
    return f"{said[:_LONGEST_REASON]}…" if len(said) > _LONGEST_REASON else said


def write_text(path: str, text: str) -> None:
    """Writes a file as it is, line ends included."""
    with open(path, "w", encoding="utf-8", errors="surrogatepass", newline="") as file:
        file.write(text)
