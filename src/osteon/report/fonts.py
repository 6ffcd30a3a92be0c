"""Fonts for still pictures with Chinese words."""

from __future__ import annotations

#: Fonts with Chinese letters; the first that is installed is used.
CHINESE = (
    *("Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Microsoft YaHei", "PingFang SC"),
    *("WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "SimHei", "Heiti SC", "Droid Sans Fallback"),
)


def chinese_font() -> str | None:
    """Return an installed font with Chinese letters, or None; needs matplotlib."""
    from matplotlib import font_manager

    installed = {font.name for font in font_manager.fontManager.ttflist}
    return next((name for name in CHINESE if name in installed), None)
