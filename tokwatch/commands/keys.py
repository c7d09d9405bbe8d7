"""`tokwatch keys`: every key by its name for keys.toml, the themes, and what is wrong with the user's own of both."""

from __future__ import annotations

import argparse
import sys

from tokwatch.commands.screen import config_directory
from tokwatch.dashboard.key_names import key_name
from tokwatch.dashboard.keymap import every_binding, keys_of, problems_of, read_keymap
from tokwatch.dashboard.themes.catalogue import Themes
from tokwatch.dashboard.user_themes import load_themes
from tokwatch.exits import Exit


def run(options: argparse.Namespace) -> int:
    """Prints them, place by place; what is wrong goes to stderr and makes it fail."""
    directory = config_directory(options)
    path = directory / "keys.toml"
    keymap, problems = read_keymap(path) if path.is_file() else ({}, [])
    places = every_binding()
    problems += problems_of(keymap, places)
    for place in places:
        print(place.name)
        for binding in place.bindings:
            keys = " ".join(key_name(key, ascii_only=True) for key in keys_of(binding, keymap))
            if binding.description:
                print(f"  {binding.id or '-':22} {keys:22} {binding.description}")
        print()
    own, wrong = load_themes(directory / "themes")
    print("themes")
    for theme in Themes(own=own).every().values():
        print(f"  {theme.name:22} {theme.about}")
    print(f"\nYour own: {path} and {directory / 'themes'}")
    for problem in (*problems, *wrong):
        print(f"tokwatch: {problem}", file=sys.stderr)
    return Exit.FAILED if problems or wrong else Exit.DONE
