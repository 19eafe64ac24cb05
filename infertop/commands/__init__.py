"""The commands: with cli.py the only place where collectors, core and screen meet."""
