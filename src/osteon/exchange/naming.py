"""LaTeX names of parameters, states, signals and named steps, unmistakable within a module."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

from osteon.exchange.latex import Name
from osteon.exchange.named import ModuleEquations, helper_parts
from osteon.parameters import ParameterSet

_GREEK = {
    "alpha", "beta", "gamma", "delta", "eps", "eta", "theta", "kappa", "lambda", "mu", "nu", "xi", "pi", "rho",
    "sigma", "tau", "phi", "chi", "psi", "omega",
}  # fmt: skip
_SHORT = {"eps": "varepsilon", "kap": "kappa", "lam": "lambda", "gam": "gamma"}


def namer(part: ModuleEquations, parameters: ParameterSet) -> Callable[[Name], str]:
    """Return the function that names everything in one module's equations.

    Parameters
    ----------
    part : ModuleEquations
        Equations of the module.
    parameters : ParameterSet
        Gives the symbols of parameters.
    """
    wanted = list(dict.fromkeys(name for line in part.all() for name in (line.name, *line.value.symbols())))
    wanted += [Name("state", f"{part.module.name}.{state}") for state in part.module.states]
    chosen: dict[Name, str] = {}
    symbols = Counter(parameter_symbol(n.key, parameters) for n in set(wanted) if n.kind == "parameter")
    for name in wanted:
        if name.kind == "parameter":
            text = parameter_symbol(name.key, parameters)
            chosen[name] = text if symbols[text] == 1 else roman(name.key.replace(".", "_"))
        elif name.kind != "helper":
            chosen[name] = roman(name.key.rpartition(".")[2])
    for kind in ("parameter", "state"):
        # A parameter or state gives way where a signal has its name.
        taken = Counter(chosen.values())
        for name in [n for n in chosen if n.kind == kind and taken[chosen[n]] > 1]:
            chosen[name] = rf"{chosen[name]}_{{\mathrm{{{kind}}}}}"
    _helpers([name for name in wanted if name.kind == "helper"], chosen)
    return chosen.__getitem__


def _helpers(wanted: list[Name], chosen: dict[Name, str]) -> None:
    taken = set(chosen.values())
    plain = Counter(helper_parts(name.key)[1] for name in set(wanted) if helper_parts(name.key)[2] == 0)
    for name in dict.fromkeys(wanted):
        function, word, again = helper_parts(name.key)
        text = roman(word)
        if plain[word] > 1 or text in taken:
            text = rf"{text}_{{{roman(function.strip('_'))}}}"
        chosen[name] = text + "'" * again


def parameter_symbol(key: str, parameters: ParameterSet) -> str:
    """Symbol of a parameter in its source, or its name in upright letters."""
    symbol = parameters[key].symbol
    return _typeset(symbol) if symbol else roman(key.rpartition(".")[2])


def roman(name: str) -> str:
    """Return a name in upright letters, its words apart."""
    spaced = name.replace("_", r"\ ")
    return rf"\mathrm{{{spaced}}}"


def _typeset(symbol: str) -> str:
    """``kappa_fix`` becomes ``\\kappa_{\\mathrm{fix}}``; a letter with digits gets them as index."""
    base, _, index = symbol.partition("_")
    if not index and (found := re.fullmatch(r"([A-Za-z]|phi)(\d+|[A-Z])", base)):
        base, index = found.groups()
    return _letters(base) + (rf"_{{{_letters(index)}}}" if index else "")


def _letters(text: str) -> str:
    text = _SHORT.get(text, text)
    if text in _GREEK or text in _SHORT.values():
        return f"\\{text}"
    if len(text) == 1 or text.isdigit() or not text.isalnum():
        return text
    return rf"\mathrm{{{text}}}"
