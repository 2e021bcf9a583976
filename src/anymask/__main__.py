"""`python -m anymask`: the command line, where the `anymask` script is not on the path."""

from anymask.cli.main import main

if __name__ == "__main__":
    main()
