from collections.abc import Mapping

CLIARGS: Mapping[str, object]
