"""``python -m hubctl``: the same program as the ``hubctl`` command."""

from hubctl.cli.main import main

if __name__ == "__main__":
    main()
