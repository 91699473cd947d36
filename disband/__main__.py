"""``python -m disband``."""

from disband.cli import main

if __name__ == "__main__":
    main(prog_name="disband")
