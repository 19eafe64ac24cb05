"""The command as a script runs it."""

from infertop.cli import main


def estimate(capsys, *words):
    status = main(["estimate", *map(str, words)])
    out, said = capsys.readouterr()
    return status, out, said
