"""Files of schedules compared: tables, one document, a picture of the front and the report, each whole or not there."""

from __future__ import annotations

import json
import math
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osteon.ensemble.store import unwritable
from osteon.errors import MissingExtra
from osteon.report.fonts import chinese_font
from osteon.report.locale import Words, load
from osteon.report.schedule import heading, render, rows
from osteon.report.schedule_charts import front_points
from osteon.trial.dosing_measures import FRONT

if TYPE_CHECKING:
    from osteon.trial.dosing_run import Schedule


def check_picture() -> None:
    """Refuse to begin where the picture cannot be drawn; raises `MissingExtra`."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise MissingExtra("The picture of the front", "trial") from None


def save(found: Schedule, folder: str | Path, lang: str = "en", command: str = "") -> dict[str, Path]:
    """Write schedules compared as files.

    Parameters
    ----------
    found : Schedule
        What comes of each regimen.
    folder : str or Path
        Made if missing; files of an earlier run are replaced.
    lang : {"en", "zh"}
        Language of the report and, where a font has its letters, of the picture.
    command : str
        Command that makes them again.

    Returns
    -------
    dict of str to Path
        ``schedule.json``, ``schedule.csv`` (a row per regimen and measure), ``draws.csv`` (a row per draw and regimen),
        ``front.png`` and ``report.html``.

    Raises
    ------
    InputError
        The folder cannot be written; nothing is left behind.
    MissingExtra
        matplotlib is not installed.
    """
    check_picture()
    folder, words = Path(folder), load(lang)
    document = json.dumps(found.to_dict(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    page = render(found, lang, command)
    names = ("schedule.json", "schedule.csv", "draws.csv", "front.png", "report.html")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=".osteon-", dir=folder))
        try:
            (staging / "schedule.json").write_text(document, encoding="utf-8")
            found.table().to_csv(staging / "schedule.csv", index=False)
            found.per_draw().to_csv(staging / "draws.csv", index=False)
            draw(found, words, staging / "front.png")
            (staging / "report.html").write_text(page, encoding="utf-8")
            for name in names:
                (staging / name).replace(folder / name)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    except OSError as error:
        raise unwritable(folder, error) from error
    return {name: folder / name for name in names}


def draw(found: Schedule, words: Words, path: Path) -> None:
    """Draw union, remodelling and density against the rebound, as differences to the regular regimen, as PNG."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    words, font = _lettered(words)
    shown = rows(words, found)
    *upwards, rebound = FRONT
    across = front_points(found, rebound)
    with rc_context({"font.family": ["sans-serif"], "font.sans-serif": [*font, "DejaVu Sans"]}):
        # A switch moves markers so far that the rest would be one point on its scale.
        timed = [row for row in shown if not row["switch"]]
        parts = [timed] if len(timed) == len(shown) else [timed, shown]
        figure = Figure(figsize=(13.5, 1.8 + 4.0 * len(parts)), layout="constrained")
        axes: Any = figure.subplots(len(parts), len(upwards), squeeze=False)
        for line, part in zip(axes, parts, strict=True):
            for ax, name in zip(line, upwards, strict=True):
                up = front_points(found, name)
                ax.axhline(0, color="0.75", lw=1, zorder=0)
                ax.axvline(0, color="0.75", lw=1, zorder=0)
                for row in part:
                    _point(ax, row, across[row["name"]], up[row["name"]])
                ax.set_title(words(f"schedule.{name}"), fontsize=11)
                ax.set_xlabel(words(f"schedule.{rebound}"))
                ax.spines[["top", "right"]].set_visible(False)
        figure.suptitle(heading(words, found), fontsize=12)
        named = [f"{row['number']}. {row['title']}" for row in shown]
        lines = ["    ".join(named[start : start + 4]) for start in range(0, len(named), 4)]
        notes = [*lines, words("schedule.front_axes"), words("page.disclaimer_title")]
        figure.supxlabel("\n".join(notes), fontsize=8.5, color="0.25")
        # Fonts are looked up while it is drawn.
        figure.savefig(path, dpi=150)


def _point(ax: Any, row: dict[str, Any], across: tuple[float, ...], up: tuple[float, ...]) -> None:
    """One regimen: a numbered dot with bars; an end that is not finite is left out."""
    (left, x, right), (low, y, high) = across, up
    if not (math.isfinite(x) and math.isfinite(y)):
        return
    colour = "#0b5d73" if row["on_front"] else "0.45"
    for ends, other, draw in (((left, right), y, ax.hlines), ((low, high), x, ax.vlines)):
        if all(map(math.isfinite, ends)):
            draw(other, *ends, color=colour, lw=1, alpha=0.5)
    face = colour if row["on_front"] else "white"
    ax.plot(x, y, "o", ms=13, mfc=face, mec=colour, zorder=3)
    text = "white" if row["on_front"] else "0.2"
    ax.annotate(str(row["number"]), (x, y), ha="center", va="center", fontsize=8, color=text, zorder=4)


def _lettered(words: Words) -> tuple[Words, list[str]]:
    """Words that can be drawn, and the font for them: English where none has Chinese letters."""
    if words.language == "en":
        return words, []
    font = chinese_font()
    return (words, [font]) if font else (load("en"), [])
