"""Run a module of this package: `python -I start.py PLACE cluster_helper.supervisor …`.

Isolated, Python has neither the working directory nor PYTHONPATH on its path, and so not what was
only found there: this package is loaded from where this file lies, whatever else has its name, and
what it needs is looked for in PLACE at last.
"""

from __future__ import annotations

import importlib.util
import runpy
import sys
from pathlib import Path


def main() -> None:
    package = Path(__file__).parent
    _script, place, name, *arguments = sys.argv
    sys.path += [entry for entry in (str(package.parent), place) if entry not in sys.path]
    spec = importlib.util.spec_from_file_location("cluster_helper", package / "__init__.py")
    if spec is None or spec.loader is None:
        sys.exit(f"{package} is no package")
    module = importlib.util.module_from_spec(spec)
    sys.modules["cluster_helper"] = module
    spec.loader.exec_module(module)
    sys.argv = [name, *arguments]
    runpy.run_module(name, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
