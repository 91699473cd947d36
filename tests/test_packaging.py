"""What is built and installed: nothing but ``disband``, whole, and in nobody's way."""

import os
import subprocess
import sys
import tarfile
import zipfile

import pytest

from disband import __version__
from disband.verify.kept.provenance import PACKAGES, ROOT

pytestmark = pytest.mark.slow
FOLDERS = PACKAGES[:-1]
# What a wheel holds besides disband/ itself: the packages, and what runs have recorded.
HELD = (*FOLDERS, "results")

# A user's own files bear the names of our folders; their script sits beside them.
SCRIPT = """
import disband.figures.style, disband.verify.strategies
from disband import DPO, Gram, band
print(band(Gram.of_angle(cosine=0.9, norm_ratio=1.3)), disband.__file__)
"""
OWN = ("theory.py", "sims.py", "lm.py", "verify.py", "figures/__init__.py")


def run(*words, cwd=ROOT):
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [str(w) for w in words], cwd=cwd, env=clean, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def built(tree, folder):
    """Build the source archive and the wheel of ``tree`` into ``folder``."""
    run(sys.executable, "-m", "hatchling", "build", "-d", folder, cwd=tree)
    return next(folder.glob("*.tar.gz")), next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def archives(tmp_path_factory):
    return built(ROOT, tmp_path_factory.mktemp("built"))


@pytest.fixture(scope="module")
def unpacked(archives, tmp_path_factory):
    folder = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(archives[0]) as file:
        file.extractall(folder, filter="data")
    return folder / f"disband-{__version__}"


@pytest.fixture(scope="module")
def users(tmp_path_factory):
    """A folder of a user whose files have the names of our folders."""
    folder = tmp_path_factory.mktemp("users")
    for name in OWN:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("raise RuntimeError('this one is the user\\'s')\n")
    (folder / "script.py").write_text(SCRIPT)
    return folder


def content(wheel):
    with zipfile.ZipFile(wheel) as file:
        names = file.namelist()
        assert len(names) == len(set(names))
        return {name: file.read(name) for name in names}


def sources():
    """What git knows of the packages, by the name that it has when installed."""
    listed = run("git", "ls-files", "-zco", "--exclude-standard", *HELD, "disband").split("\0")[:-1]
    return {
        name if name.startswith("disband/") else f"disband/{name}": (ROOT / name).read_bytes()
        for name in listed
        if not (ROOT / name).is_symlink() and (ROOT / name).exists()
    }


def test_a_wheel_holds_each_file_once_and_under_disband(archives):
    ours = {n: text for n, text in content(archives[1]).items() if ".dist-info/" not in n}
    assert ours == sources()


def test_a_wheel_of_the_source_archive_is_the_same(archives, unpacked, tmp_path):
    again = content(built(unpacked, tmp_path)[1])
    assert {n: text for n, text in again.items() if not n.endswith("RECORD")} == {
        n: text for n, text in content(archives[1]).items() if not n.endswith("RECORD")
    }


def test_the_source_archive_keeps_the_folders_where_they_are(unpacked):
    for name in FOLDERS:
        assert (unpacked / name / "__init__.py").is_file()
        assert not (unpacked / "disband" / name).exists()
    assert (unpacked / "tests" / "test_packaging.py").is_file()


def test_an_unpacked_source_archive_runs_as_it_is(unpacked):
    assert run(sys.executable, "-m", "disband", "--version", cwd=unpacked) == (
        f"disband {__version__}\n"
    )
    said = run(sys.executable, "-c", SCRIPT, cwd=unpacked)
    assert f"{unpacked}/disband" in said


PIP = ("-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index")


@pytest.mark.parametrize("source", ["wheel", "git"])
def test_installed_it_is_found_beside_a_users_own_files(source, archives, users, tmp_path):
    wanted = archives[1] if source == "wheel" else f"git+file://{ROOT}"
    run(sys.executable, *PIP, "--target", tmp_path, wanted)
    assert {path.name for path in tmp_path.iterdir() if path.suffix != ".dist-info"} == {
        "disband",
        "bin",
    }
    code = f"import sys; sys.path.insert(1, {str(tmp_path)!r}); exec(open('script.py').read())"
    said = run(sys.executable, "-c", code, cwd=users)
    assert "1.17" in said
    assert f"{tmp_path}/disband" in said


def test_installed_for_development_it_is_found_beside_a_users_own_files(users, tmp_path):
    run("git", "clone", "-q", ROOT, tmp_path / "clone")
    run(sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv")
    python = tmp_path / "venv" / "bin" / "python"
    # the libraries of this environment, without what it has installed for development itself
    libraries = next(path for path in sys.path if path.endswith("site-packages"))
    site = next((tmp_path / "venv").rglob("site-packages"))
    (site / "libraries.pth").write_text(libraries)
    run(sys.executable, "-m", "pip", "--python", python, *PIP[2:], "-e", tmp_path / "clone")
    said = run(python, "script.py", cwd=users)
    assert "1.17" in said
    assert f"{tmp_path}/clone/disband" in said


def test_a_clone_without_links_runs(tmp_path):
    run("git", "clone", "-q", "-c", "core.symlinks=false", ROOT, tmp_path / "clone")
    assert not (tmp_path / "clone" / "disband" / "theory").is_dir()
    said = run(sys.executable, "-c", SCRIPT, cwd=tmp_path / "clone")
    assert f"{tmp_path}/clone/disband" in said
