"""`python -m swiftseg` is the command line."""

from swiftseg.cli.main import main

if __name__ == "__main__":
    main()
