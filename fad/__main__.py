"`python -m fad`: the command"
from fad.app.cli import command

if __name__ == '__main__': command()
