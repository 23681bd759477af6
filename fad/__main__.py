"`python -m fad`: the command"
import sys
from fad.app.cli import main

if __name__ == '__main__': sys.exit(main())
