import numpy as np
import pytest

from disband.job.drawn import Drawn, keep, kept
from disband.job.pictures import select
from disband.sims.pairs.gallery import lines
from disband.sims.pairs.studies import EDIT_ONE_SHARED
from disband.theory.objectives import CPO, DPO


def test_the_gallery_is_kept_for_drawing_again(tmp_path):
    runs = [EDIT_ONE_SHARED.run(objective, steps=3) for objective in (DPO, CPO)]
    data = Drawn({EDIT_ONE_SHARED.name: runs[0]}, {}, lines(runs))
    keep(data, tmp_path)
    again = kept(tmp_path)
    assert list(again.gallery) == ["DPO", "CPO"]
    for name, line in data.gallery.items():
        np.testing.assert_array_equal(again.gallery[name].log_ratio, line.log_ratio)
        np.testing.assert_array_equal(again.gallery[name].inside, line.inside)


def test_what_toy_experiments_draw_is_kept_under_its_own_names(tmp_path):
    data = Drawn({}, {}, experiments={"one": {"a/b/c": np.arange(3.0), "a/b/d": np.ones((2, 2))}})
    keep(data, tmp_path)
    again = kept(tmp_path).experiments["one"]
    assert set(again) == {"a/b/c", "a/b/d"}
    np.testing.assert_array_equal(again["a/b/d"], np.ones((2, 2)))


def test_without_the_toy_experiment_its_pictures_are_left_out_and_refused_by_name():
    data = Drawn({}, {}, experiments={"another": {"a": np.zeros(1)}})
    assert not {"target", "figure-3"} & {picture.name for picture in select([], data)}
    assert "phases" in [picture.name for picture in select([], data)]
    with pytest.raises(ValueError, match=r"shows the toy dynamics: .* run disband verify$"):
        select(["target"], data)
    with pytest.raises(ValueError, match=r"run disband verify without --no-lm$"):
        select(["figure-3"], data)
