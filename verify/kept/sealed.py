"""Files for this program to read again, sealed by a digest of all their other bytes.

They stay what their names say: a ``.json`` begins with its digest, which every reader of JSON takes
for an entry; a ``.npz`` ends with it, which every reader of archives takes for a comment.
"""

import json
import zipfile
from collections.abc import Mapping
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .files import json_text, whole_file

Arrays = Mapping[str, NDArray[Any]]

_LENGTH = 2 * sha256().digest_size
_OPENING = b'{"sha256":"'


class DamagedError(ValueError):
    """A file is not what this program wrote: bytes changed, were lost or were added."""


def write_record(path: Path, record: Any) -> None:
    """Write plain data, which :func:`read_record` returns.

    Raises:
        TypeError: It holds what is neither text, number, list nor mapping.
        OSError: The folder cannot be written.
    """
    body = b'",' + json_text({"record": record}, indent=None)[1:].encode()
    with whole_file(path) as file:
        file.write(_OPENING + _digest(body) + body)


def read_record(path: Path) -> Any:
    """Return what :func:`write_record` wrote.

    Raises:
        DamagedError: The file is another.
        OSError: It cannot be read.
    """
    data = path.read_bytes()
    start = len(_OPENING) + _LENGTH
    if data[:start] != _OPENING + _digest(data[start:]):
        raise _damaged(path)
    return json.loads(data)["record"]


def write_arrays(path: Path, arrays: Arrays) -> None:
    """Write arrays, which :func:`read_arrays` returns.

    Raises:
        TypeError: One is of objects, which only running code could bring back.
        OSError: The folder cannot be written.
    """
    if objects := [name for name, array in arrays.items() if np.asarray(array).dtype.hasobject]:
        raise TypeError(f"kept arrays are of numbers or text: got objects in {objects[0]}")
    buffer = BytesIO()
    np.savez_compressed(buffer, **dict[str, Any](arrays))
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.comment = b"0" * _LENGTH
    body = buffer.getbuffer()[:-_LENGTH]
    with whole_file(path) as file:
        file.write(body)
        file.write(_digest(body))


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Return what :func:`write_arrays` wrote.

    Raises:
        DamagedError: The file is another.
        OSError: It cannot be read.
    """
    data = path.read_bytes()
    if data[-_LENGTH:] != _digest(data[:-_LENGTH]):
        raise _damaged(path)
    with np.load(BytesIO(data), allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def _digest(body: bytes | memoryview) -> bytes:
    return sha256(body).hexdigest().encode()


def _damaged(path: Path) -> DamagedError:
    return DamagedError(f"{path} is damaged, or from another version; remove it")
