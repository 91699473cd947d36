# The public names, in one list: type checkers read it, and so does __init__.py.

from disband.lm.data.preferences import read_preferences as read_preferences
from disband.lm.horizon.curvature import curvature as curvature
from disband.lm.model.gpt2 import encode as encode
from disband.lm.model.load import load_model as load_model
from disband.lm.scores.audit import audit as audit
from disband.lm.scores.grams import adam_preconditioner as adam_preconditioner
from disband.lm.scores.grams import batch_gram as batch_gram
from disband.lm.scores.grams import pair_gram as pair_gram
from disband.lm.scores.grams import token_gram as token_gram
from disband.sims.methods.treatments import TREATMENTS as TREATMENTS
from disband.theory.band import Band as Band
from disband.theory.band import Case as Case
from disband.theory.band import band as band
from disband.theory.band import calibration as calibration
from disband.theory.band import case as case
from disband.theory.batch import batch_band as batch_band
from disband.theory.batch import batch_factor as batch_factor
from disband.theory.batch import mean_products as mean_products
from disband.theory.batch import pair_changes as pair_changes
from disband.theory.first_order import first_order as first_order
from disband.theory.gram import Gram as Gram
from disband.theory.horizon.band import Curvatures as Curvatures
from disband.theory.horizon.band import horizon_band as horizon_band
from disband.theory.horizon.band import horizon_changes as horizon_changes
from disband.theory.horizon.band import turning_time as turning_time
from disband.theory.metric import metric_gram as metric_gram
from disband.theory.objective import Objective as Objective
from disband.theory.objectives import *  # noqa: F403 (its __all__ is the catalogue)
from disband.theory.own_loss.declare import objective_of as objective_of
from disband.verify import strategies as strategies

from .monitor.callback import Monitor as Monitor
from .monitor.config import MonitorConfig as MonitorConfig
from .terminal.pair import Comparison as Comparison
from .terminal.pair import Pair as Pair
from .terminal.pair import compare as compare

__version__: str
