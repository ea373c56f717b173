"""1,000 flipped bytes and 1,000 truncations of an installer: all refused, nothing executed."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]
for _place in ("tests/support", "tests/host", "playbooks/collections"):
    sys.path.insert(0, str(CHECKOUT / _place))
EACH = 1000


def main() -> int:
    """Run the campaign and say how it went."""
    from damaged_installers import campaign  # type: ignore[import-not-found]

    with tempfile.TemporaryDirectory() as directory:
        good, damaged = campaign(Path(directory), EACH)
    print(f"the undamaged installer was {'executed' if good else 'NOT executed'}")
    print(
        f"{EACH} flipped, {EACH} truncated: refused {damaged.refused}, executed {damaged.executed}"
    )
    return 0 if good and (damaged.refused, damaged.executed) == (2 * EACH, 0) else 1


if __name__ == "__main__":
    sys.exit(main())
