"""The program's entry: `k8snetlint` and `python -m k8snetlint`."""

from k8snetlint.cli import main

if __name__ == "__main__":
    main()
