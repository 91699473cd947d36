import subprocess
import sys

import pytest
from matplotlib import rcParams

from disband.figures.style import CHOSEN, LOOKS, REJECTED, draw, panels, plain, save, styled


def drawn():
    figure, ((axes,),) = panels(1, 1, (3, 2))
    draw(axes, [0, 1, 2], [0.0, -1.0, -3.0], CHOSEN, "chosen")
    axes.legend()
    return figure


def test_a_saved_figure_is_the_same_to_the_byte_each_time(tmp_path):
    for folder in ("one", "two"):
        save(drawn(), tmp_path / folder, "figure")
    for name in ("figure.svg", "figure.png"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_saving_leaves_only_whole_files(tmp_path):
    svg, png = save(drawn(), tmp_path, "figure")
    assert sorted(tmp_path.iterdir()) == [png, svg]
    assert svg.read_text().rstrip().endswith("</svg>")
    assert png.read_bytes().endswith(b"IEND\xaeB`\x82")


def test_a_failed_save_keeps_the_figure_of_before(tmp_path, monkeypatch):
    svg, _ = save(drawn(), tmp_path, "figure")
    before = svg.read_bytes()
    figure = drawn()

    def half(file, **_):
        file.write(b"<svg")
        raise OSError("disk full")

    monkeypatch.setattr(figure, "savefig", half)
    with pytest.raises(OSError, match="disk full"):
        save(figure, tmp_path, "figure")
    assert svg.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 2


def test_no_two_looks_share_a_colour_a_dash_or_a_marker():
    assert CHOSEN.linestyle != REJECTED.linestyle
    assert len({look.linestyle for look in LOOKS}) == len(LOOKS)
    every = (CHOSEN, REJECTED, *LOOKS)
    assert len({look.color for look in every}) == len({look.marker for look in every}) == len(every)


def test_the_style_ends_with_the_function_that_wears_it():
    @styled
    def salt():
        return rcParams["svg.hashsalt"]

    before = rcParams["svg.hashsalt"]
    assert salt() == salt() == "disband"
    assert rcParams["svg.hashsalt"] == before


def test_a_token_is_drawn_as_it_is_written():
    assert plain("Ġa$b") == r"␣a\$b"
    assert plain("好\n") == "U+597DU+000A"


def test_figures_import_neither_torch_nor_pyplot():
    code = (
        "import sys; from disband.figures import chen2026, style, toys, yuan2025;"
        "print([m for m in ('torch', 'matplotlib.pyplot') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
