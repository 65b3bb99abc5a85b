"""`python -m loopweld` is the command `loopweld`."""

from loopweld.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
