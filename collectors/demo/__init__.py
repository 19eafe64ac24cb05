"""The demo: recorded real traffic as if it ran now, on a machine that is made up. See LICENCES.md for what is real."""
