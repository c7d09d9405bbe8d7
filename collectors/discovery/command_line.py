"""Reads a command line by an engine's row: which server it starts, and the few facts about it that may leave.

Command lines carry API keys. Only flags named in the row are read, a value ends at its first blank, and a bare word
counts as the model only before the first flag we do not know, because it may be that flag's value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from collectors.discovery.engines import ENGINES, Engine
from collectors.labels import clean_label

_MAX_ARGUMENTS = 512  # enough for every engine's flags; a longer command line is not read to its end
_MAX_RANKS = 65_536  # a parallel size beyond it is a mistake, not a cluster
_TRUE = frozenset({"1", "on", "true", "enabled"})  # as llama.cpp reads its variables
_PROGRAM_WORDS = 16  # the program is among the first words, even behind an interpreter's flags
_MENTION = re.compile("|".join(sorted(re.escape(name) for engine in ENGINES for name in engine.names)))
_PYTHON = re.compile(r"(python|pypy)[\d.]*t?")
_PYTHON_FLAGS_WITH_VALUE = frozenset({"-X", "-W", "--check-hash-based-pycs"})
_PRECISION = re.compile(r"[A-Za-z0-9_.\-]{1,32}")


@dataclass(frozen=True, slots=True)
class Launch:
    """What a command line says about the server it starts; free of everything else that stood on it."""

    engine: Engine
    port: int | None = None
    model: str | None = None
    tensor_parallel: int | None = None
    pipeline_parallel: int | None = None
    data_parallel: int | None = None
    expert_parallel: int | None = None
    role: str = ""  # "prefill" | "decode"
    speculation: str | None = None
    precision: str | None = None  # "bfloat16, quantization fp8"
    tls: bool = False
    metrics_switched_on: bool = True  # by flag, or perhaps by a --config file, which is not read

    def page_port(self, variables: Mapping[str, str]) -> int | None:
        """The port that the metrics page should be on: flag, else variable, else the engine's default."""
        variable = variables.get(self.engine.port_variable or "")
        return self.port or _whole(variable, 65_535) or self.engine.default_port

    def has_page(self, variables: Mapping[str, str], port: int) -> bool:
        """Whether a server so started shows a metrics page on `port`."""
        engine = self.engine
        if engine.metrics_path is None or (engine.metrics_on_own_port and port != self.page_port(variables)):
            return False
        switch = variables.get(engine.metrics_variable or "", "")
        return self.metrics_switched_on or switch.lower() in _TRUE


def mentions_engine(argv: Sequence[str]) -> bool:
    """Whether it is worth looking closer: a cheap test that most processes of a box fail."""
    return _MENTION.search("\0".join(argv[:_PROGRAM_WORDS])) is not None


def recognise(argv: Sequence[str]) -> Launch | None:
    """The server that this command line starts; None where it starts none. Never raises on any words."""
    words = _words(argv)
    program, arguments = _program(words)
    for engine in ENGINES:
        for pattern in engine.launched_by:
            rest = _after(pattern, program, arguments)
            if rest is not None:
                return _read(engine, rest)
    return None


def part_of(argv: Sequence[str]) -> Engine | None:
    """The engine whose part this process is by its title ("VLLM::EngineCore"); the title has replaced its argv."""
    title = next(iter(_words(argv)), "")
    return next((engine for engine in ENGINES if engine.title and title.startswith(engine.title)), None)


def is_worker(argv: Sequence[str]) -> bool:
    """Whether the process is, by its title, a part of an engine that never listens for requests."""
    title = next(iter(_words(argv)), "")
    return any(title.startswith(engine.worker_titles) for engine in ENGINES)


def is_python(argv: Sequence[str]) -> bool:
    """Whether the process is a Python interpreter."""
    return bool(argv) and _PYTHON.fullmatch(_basename(argv[0])) is not None


def _words(argv: Sequence[str]) -> list[str]:
    # A process that rewrote its title may leave NULs inside one argument.
    return [word for argument in argv[:_MAX_ARGUMENTS] for word in argument.split("\0") if word][:_MAX_ARGUMENTS]


def _basename(path: str) -> str:
    return path.rpartition("/")[2]


def _program(words: list[str]) -> tuple[str, list[str]]:
    """(program, its arguments); for an interpreter the script's path or "-m module"."""
    if not words or not is_python(words):
        return (words[0], words[1:]) if words else ("", [])
    i = 1
    while i < len(words) and words[i].startswith("-"):
        if words[i] == "-m" and i + 1 < len(words):
            return f"-m {words[i + 1]}", words[i + 2 :]
        if words[i] == "-c":
            return "", []
        i += 2 if words[i] in _PYTHON_FLAGS_WITH_VALUE else 1
    return (words[i], words[i + 1 :]) if i < len(words) else ("", [])


def _after(pattern: str, program: str, arguments: list[str]) -> list[str] | None:
    """The arguments behind `pattern`; None when the program is another."""
    name, *subcommands = pattern.removeprefix("-m ").split()
    if pattern.startswith("-m "):
        script = "." + program.removesuffix(".py").replace("/", ".")  # the module may be started by its file's path
        matches = program == f"-m {name}" or script.endswith("." + name)
    else:
        matches = _basename(program) == name
    return arguments[len(subcommands) :] if matches and arguments[: len(subcommands)] == subcommands else None


def _read(engine: Engine, arguments: list[str]) -> Launch:
    values, flags, first_word = _flags(engine, arguments)

    def value(names: tuple[str, ...]) -> str | None:
        return next((values[flag] for flag in names if flag in values), None)

    file = _model(value(engine.model_file))
    names = map(_model, (value(engine.served_name), file and _basename(file), value(engine.model), first_word))
    switch = engine.metrics_switch
    return Launch(
        engine=engine,
        port=_whole(value(engine.port), 65_535),
        model=next(filter(None, names), None),
        tensor_parallel=_whole(value(engine.tensor_parallel), _MAX_RANKS),
        pipeline_parallel=_whole(value(engine.pipeline_parallel), _MAX_RANKS),
        data_parallel=_whole(value(engine.data_parallel), _MAX_RANKS),
        expert_parallel=_whole(value(engine.expert_parallel), _MAX_RANKS),
        role=_role(value(engine.role), engine, flags),
        speculation=_model(value(engine.speculation)),
        precision=_precision({flag: values[flag] for flag in engine.precision if flag in values}),
        tls=not flags.isdisjoint(engine.tls),
        metrics_switched_on=switch is None or switch in flags or "--config" in flags,
    )


def _flags(engine: Engine, arguments: list[str]) -> tuple[dict[str, str], set[str], str | None]:
    """(values of the row's flags, every flag there is, the model as a bare word)."""
    values: dict[str, str] = {}
    flags: set[str] = set()
    first_word: str | None = None
    word_is_ours = engine.first_word_is_model
    i = 0
    while i < len(arguments):
        word = arguments[i]
        i += 1
        if not word.startswith("-"):
            if word_is_ours:
                first_word, word_is_ours = word, False
            continue
        flag, equals, value = word.partition("=")
        flag = flag.replace("_", "-")
        flags.add(flag)
        if flag not in engine.flags_with_value:
            word_is_ours = word_is_ours and bool(equals)
        elif equals:
            values[flag] = value
        elif i < len(arguments) and not arguments[i].startswith("-"):
            values[flag] = arguments[i]
            i += 1
    return values, flags, first_word


def _whole(text: str | None, most: int) -> int | None:
    if text is None or not (text.isascii() and text.isdigit()) or len(text) > 9:
        return None
    return int(text) if 1 <= int(text) <= most else None


def _model(text: str | None) -> str | None:
    """A model's name without what may hang on it: a following word, further aliases, a URL's user and query."""
    name = next(iter((text or "").split()), "").partition(",")[0].partition("?")[0]
    scheme, is_url, rest = name.partition("://")
    if is_url:
        name = f"{scheme}://{rest.rpartition('@')[2]}"  # a key may hold a slash, so the last @ ends the user part
    return clean_label(name) or None


def _role(text: str | None, engine: Engine, flags: set[str]) -> str:
    """ "prefill" or "decode"; engines write them in any case, and have further words for a server that does both."""
    named = [(text or "").lower(), *(role for switch, role in engine.role_switches.items() if switch in flags)]
    return next((role for role in named if role in ("prefill", "decode")), "")


def _precision(values: dict[str, str]) -> str | None:
    named = (
        value if flag == "--dtype" else f"{flag.lstrip('-').replace('-', ' ')} {value}"
        for flag, value in values.items()
        if _PRECISION.fullmatch(value)
    )
    return ", ".join(named) or None
