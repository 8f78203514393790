"""Pictures of pages have few colours: a palette makes them a third as large."""

import shutil
import subprocess
from pathlib import Path


def smaller(picture: Path, colours: int) -> None:
    """Give a PNG a palette of so many colours, in place; without pngquant it stays as it is."""
    if shutil.which("pngquant"):
        subprocess.run(["pngquant", "--force", "--ext", ".png", str(colours), str(picture)], check=True)
