"""What docs/monitor.md shows works, and its tables are those of the code."""

import re
from dataclasses import MISSING, fields
from pathlib import Path

import pytest
from click.testing import CliRunner

import disband
from disband.cli import main
from disband.monitor.config import MonitorConfig
from disband.monitor.numbers import BENDS, NAMES

PAGE = (Path(disband.__file__).parent.parent / "docs" / "monitor.md").read_text("utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
COMMANDS = re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL)


def shown(value):
    return "none" if value is None else str(value).lower()


def test_every_setting_is_in_the_table():
    for field in fields(MonitorConfig):
        assert field.default is not MISSING
        row = f"| `{field.name}` | {shown(field.default)} | {field.metadata['help']} |"
        assert row in PAGE.splitlines(), row


def test_every_metric_is_in_the_table():
    assert set(re.findall(r"`(dynamics/\w+)`", PAGE)) == {*NAMES, *BENDS}


@pytest.mark.filterwarnings("ignore:`(is_)?gradient_checkpointing:FutureWarning")
def test_the_lines_to_add_work_and_the_command_reports_on_them(tmp_path, monkeypatch):
    pytest.importorskip("trl")
    from tests.trl.runs import DPOTrainer, trainer_of

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_TELEMETRY", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    first, bending, calibrated, configured = EXAMPLES
    trainer = trainer_of(DPOTrainer, tmp_path / "my-run", max_steps=10)
    exec(first, {"trainer": trainer})
    for name in NAMES:
        assert name in trainer.state.log_history[9]
    (command,) = COMMANDS
    done = CliRunner().invoke(main, command.split()[1:], catch_exceptions=False)
    assert done.exit_code == 0
    assert "steps 10 to 10" in done.output

    trainer = trainer_of(DPOTrainer, tmp_path / "bending", max_steps=1, logging_first_step=True)
    exec(bending, {"trainer": trainer})
    trainer.train()
    assert set(BENDS[:2]) <= set(trainer.state.log_history[0])

    trainer = trainer_of(DPOTrainer, tmp_path / "other", max_steps=2)
    exec(calibrated, {"trainer": trainer})
    trainer.train()
    assert trainer.state.log_history[1]["dynamics/factor"] != 1

    (tmp_path / "settings.yaml").write_text("every: 5\ncalibrate: average\noutput_dir: there\n")
    words = ["train.py", "--config", "settings.yaml", "--use_cpu", "--bf16", "false"]
    monkeypatch.setattr("sys.argv", words)
    names = {}
    exec(configured, names)
    assert names["monitor"].config == MonitorConfig(every=5, calibrate="average")
