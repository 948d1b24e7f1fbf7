"""`python -m tidegate.cli`, where the console script is not on the path."""

from tidegate.cli import main

main()
