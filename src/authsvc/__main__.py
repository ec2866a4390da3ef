"""`python -m authsvc`, and the console script `authsvc`."""

import gc
import os
import sys
from pathlib import Path

_METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"


def main() -> None:
    """Run the command line."""
    _open_standard_streams()
    folder = os.environ.get(_METRICS_FOLDER)  # noqa: TID251 - the metrics library's own variable
    if folder and not (Path(folder).is_dir() and os.access(folder, os.W_OK | os.X_OK)):
        sys.exit(
            f"{_METRICS_FOLDER}: the folder {folder!a} cannot be written to. "
            "Unset it: `authsvc serve --workers` makes one itself."
        )
    # Modules are no garbage, and to look for some among them is a sixth of a start. `garbage` goes on.
    gc.disable()
    from authsvc.cli import main as run  # noqa: PLC0415 - the library fails at its import without the folder

    run()


def _open_standard_streams() -> None:
    """Put /dev/null where whoever started us closed a stream: else the next socket gets its number."""
    while (lowest := os.open(os.devnull, os.O_RDWR)) <= 2:  # noqa: PLR2004 - standard error's number
        os.set_inheritable(lowest, True)
    os.close(lowest)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115 - kept for the life of the process


if __name__ == "__main__":
    main()
