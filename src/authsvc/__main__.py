"""`python -m authsvc`, and the console script `authsvc`."""

from authsvc.cli import main

if __name__ == "__main__":
    main()
