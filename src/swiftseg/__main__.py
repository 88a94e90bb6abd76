"""The `swiftseg` command, also as `python -m swiftseg`."""

import gc


def main() -> None:
    """Run the command line, see `swiftseg.cli.main`."""
    # What is imported stays: looking for garbage in it takes as long as labeling some frames.
    gc.disable()
    from swiftseg.cli.main import main as run

    gc.freeze()
    gc.enable()
    run()


if __name__ == "__main__":
    main()
