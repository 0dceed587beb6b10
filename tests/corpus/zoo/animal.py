"""Run the plugin that makes the mistake named by the first argument, or --list them all."""

import re
import sys

import ending
import plugin
import reading
import turns
import writing


def animals() -> dict[str, type[plugin.Plugin]]:
    """Return every mistake, and those plugins that make none, by name."""
    return {
        re.sub(r"(?<!^)(?=[A-Z])|(?<=[a-z])(?=[0-9])", "-", each.__name__).lower(): each
        for module in (plugin, writing, reading, turns, ending)
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, plugin.Plugin) and each is not plugin.Plugin
    }


if __name__ == "__main__":
    if sys.argv[1] == "--list":
        print(*animals(), sep="\n")
        sys.exit()
    try:
        animals()[sys.argv[1]]().run()
    except plugin.Refused as reason:
        sys.exit(f"refused: {reason}")
