"""The fonts that the program brings, and the families that text is set in.

They lie in ``resources/fonts`` (made by ``make fonts``): Inter and JetBrains Mono, `Theoria Signs` for the mathematical signs
that Inter lacks, and `Theoria Han` for Chinese. What they lack is looked for in the families that the system may have.
"""

from __future__ import annotations

import logging
from functools import cache

from PySide6.QtGui import QFontDatabase

from engine.api import resource_path

log = logging.getLogger(__name__)

SYSTEM_LATIN = ("Segoe UI", "SF Pro Text", "Helvetica Neue", "Noto Sans", "DejaVu Sans")
SYSTEM_HAN = ("Noto Sans CJK SC", "Noto Sans SC", "PingFang SC", "Microsoft YaHei", "Source Han Sans SC", "WenQuanYi Micro Hei")
SYSTEM_MONO = ("Cascadia Mono", "Consolas", "SF Mono", "Menlo", "Noto Sans Mono", "DejaVu Sans Mono")
SHIPPED = ("Inter", "Theoria Signs", "Theoria Han")
FAMILIES = (*SHIPPED, *SYSTEM_LATIN, *SYSTEM_HAN)
MONO_FAMILIES = ("JetBrains Mono", *SHIPPED[1:], *SYSTEM_MONO, *SYSTEM_HAN)


@cache
def load_fonts() -> tuple[str, ...]:
    """Make the program's fonts known to Qt, once; needs the application object.

    Returns
    -------
    tuple of str
        The families that were loaded. A font that cannot be read is left out and logged: the system's take its place.
    """
    families: list[str] = []
    for path in sorted(path for path in resource_path("fonts").iterdir() if path.suffix in (".otf", ".ttf")):
        number = QFontDatabase.addApplicationFont(str(path))
        if number < 0:
            log.warning("the font %s cannot be read", path)
        families += QFontDatabase.applicationFontFamilies(number)
    return tuple(dict.fromkeys(families))
