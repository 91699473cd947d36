"""What work may ask that is done on another machine: where to write what belongs elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

Files = list[tuple[str, bytes]]

# In a worker of a cluster, which does one task at a time: stand-ins of folders, by their paths.
_stand_ins: dict[str, Path] | None = None
_home = Path()


class WorkersError(RuntimeError):
    """Workers cannot be used, or are gone; the message says in one line what to do."""


def written(folder: Path | str) -> Path:
    """Where to write what belongs in ``folder`` of the machine that asked for the work.

    That is ``folder`` itself, or on a cluster one of the worker's own, whose files are brought
    back when the task is done.
    """
    if _stand_ins is None:
        return Path(folder)
    return _stand_ins.setdefault(str(folder), _home / str(len(_stand_ins)))


def beside(folder: Path) -> Path:
    """Where to keep what spares this machine to do a thing twice, and is of use here alone.

    That is ``folder``, or on a cluster one for temporary files of the worker's machine.
    """
    if _stand_ins is None:
        return folder
    return Path(gettempdir(), "disband", sha256(str(folder).encode()).hexdigest()[:12])


@contextmanager
def brought_back() -> Iterator[Files]:
    """Let :func:`written` give folders of this machine; when the block ends, list their files."""
    global _stand_ins, _home  # noqa: PLW0603 (a worker does one task at a time)
    files: Files = []
    with TemporaryDirectory(prefix="disband-") as home:
        _stand_ins, _home = {}, Path(home)
        try:
            yield files
            for folder, stand_in in _stand_ins.items():
                paths = (path for path in sorted(stand_in.rglob("*")) if path.is_file())
                files += [
                    (str(Path(folder) / path.relative_to(stand_in)), path.read_bytes())
                    for path in paths
                ]
        finally:
            _stand_ins = None
