"""`python -m deploy.bundle FOLDER`: gathers everything that an installation without a network needs."""

from __future__ import annotations

import argparse
import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

from deploy.native import kafka, timescale
from deploy.native.errors import NativeError
from deploy.native.layout import REPOSITORY, Layout, layout
from deploy.native.progress import Progress

_SIGNER = "canhdich"
_NAMESPACE = "canhdich-bundle"


def run(*argv: str | Path, cwd: Path = REPOSITORY) -> str:
    """Run a program to its end; its standard output.

    Raises:
        NativeError: it failed; the message holds the end of what it said.
    """
    done = subprocess.run(argv, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout).strip()[-2_000:]
        raise NativeError(f"{Path(argv[0]).name} {argv[1]} failed:\n{said}")
    return done.stdout


def pip(*arguments: str | Path) -> None:
    """Run this environment's pip."""
    run(sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments)


def add_source(folder: Path) -> Path:
    """Put the files that git does not ignore into source.tar; a copy of them, unpacked, to build from."""
    names = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    archive = folder / "source.tar"
    with tarfile.open(archive, "w") as out:
        for name in sorted(filter(None, names)):
            if (REPOSITORY / name).exists():
                out.add(REPOSITORY / name, arcname=name, filter=_plain)
    copy = Path(tempfile.mkdtemp(prefix="canhdich-source-"))
    with tarfile.open(archive) as packed:
        packed.extractall(copy, filter="data")
    return copy


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """Whose machine the bundle was made on is nobody's business, nor when a file was checked out.

    A Debian folder that root has made holds devices: only root may make those, and nobody needs them.
    """
    if member.isdev():
        return None
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    member.mtime = 0
    return member


def add_wheels(folder: Path, source: Path, downloads: Path) -> None:
    """Put the wheels of what runs into wheels/: those of requirements.lock, by hash, and our own."""
    downloads.mkdir(parents=True, exist_ok=True)
    lock = source / "requirements.lock"
    pip("download", "--quiet", "--require-hashes", "--only-binary=:all:", "--dest", downloads, "-r", lock)
    for old in downloads.glob("canhdich-*.whl"):
        old.unlink()
    pip("wheel", "--quiet", "--no-index", "--find-links", downloads, "--no-deps", "-w", downloads, source)
    # Of all that the lock has, what `canhdich` needs: no linters, no test tools.
    pip("download", "--quiet", "--no-index", "--find-links", downloads, "-d", folder / "wheels", "canhdich")


def add_native(folder: Path, where: Layout) -> None:
    """Put Kafka's jars and the folder of TimescaleDB into native/, as they stand in the cache."""
    with Progress() as progress:
        kafka.prepare(where, progress)
        timescale.prepare(where, progress)
    native = folder / "native"
    native.mkdir()
    for archive, path in (
        ("kafka.tar", kafka.libraries(where)),
        ("timescale.tar", where.timescale_root),
    ):
        pack(native / archive, path)


def pack(archive: Path, folder: Path) -> None:
    """Put a folder into an archive that anybody may unpack."""
    with tarfile.open(archive, "w") as out:
        out.add(folder, arcname=folder.name, filter=_plain)


def images(compose: str) -> list[str]:
    """The images that docker-compose.yml names but does not build.

    >>> images("    image: caddy:2.11.4-alpine\\n    image: canhdich:${CANHDICH_VERSION:-0.1.0}\\n")
    ['caddy:2.11.4-alpine']
    """
    found = (line.split("image:", 1)[1].strip() for line in compose.splitlines() if "  image: " in line)
    return [name for name in found if not name.startswith("canhdich")]


def add_images(folder: Path, save: bool) -> None:
    """Write down the images of docker-compose.yml; with an engine, put them in as archives, too.

    Raises:
        NativeError: they are to be saved, and there is no engine, or it does not have one of them.
    """
    names = [*images((REPOSITORY / "docker-compose.yml").read_text("utf-8")), f"canhdich:{version()}"]
    names.append(f"canhdich-backup:{version()}")
    (folder / "images.txt").write_text("".join(name + "\n" for name in names))
    if not save:
        return
    if shutil.which("docker") is None:
        raise NativeError("--images wants Docker, and there is none. Leave it out, or run this where it is.")
    (folder / "images").mkdir()
    for name in names:
        archive = folder / "images" / (name.replace("/", "_").replace(":", "_") + ".tar")
        run("docker", "save", "--output", archive, name)


def version() -> str:
    """Our own version, of pyproject.toml."""
    text = (REPOSITORY / "pyproject.toml").read_text("utf-8")
    return text.split('\nversion = "', 1)[1].split('"', 1)[0]


def seal(folder: Path, key: Path | None) -> None:
    """Write SHA256SUMS over every file, and sign it with an SSH key where one is given."""
    lines = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name not in ("SHA256SUMS", "SHA256SUMS.sig"):
            with path.open("rb") as content:
                digest = hashlib.file_digest(content, "sha256").hexdigest()
            lines.append(f"{digest}  {path.relative_to(folder).as_posix()}\n")
    sums = folder / "SHA256SUMS"
    sums.write_text("".join(lines), "utf-8")
    sums.with_name("SHA256SUMS.sig").unlink(missing_ok=True)
    if key is not None:
        run("ssh-keygen", "-Y", "sign", "-f", key, "-n", _NAMESPACE, sums)


def build(folder: Path, key: Path | None, native: bool, save_images: bool) -> None:
    """Make the bundle in a folder that is not there yet.

    Raises:
        NativeError: something cannot be had; what is there of the folder is of no use then.
    """
    if folder.exists():
        raise NativeError(f"{folder} is there already: delete it, or give another.")
    folder.mkdir(parents=True)
    source = add_source(folder)
    try:
        add_wheels(folder, source, folder.parent / "downloads")
    finally:
        shutil.rmtree(source)
    if native:
        add_native(folder, layout())
    add_images(folder, save_images)
    (folder / "PYTHON").write_text("{}.{}\n".format(*sys.version_info[:2]))
    shutil.copy2(Path(__file__).with_name("install.sh"), folder / "install.sh")
    seal(folder, key)


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the bundle; 0 when it is whole, 1 when not (said on standard error)."""
    parser = argparse.ArgumentParser(prog="python -m deploy.bundle", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--key", type=Path, help=f"SSH key to sign with; its line in allowed_signers begins with `{_SIGNER}`"
    )
    parser.add_argument("--no-native", action="store_true", help="without Kafka and TimescaleDB")
    parser.add_argument("--images", action="store_true", help="with the container images, from Docker")
    chosen = parser.parse_args(arguments)
    try:
        build(chosen.folder, chosen.key, not chosen.no_native, chosen.images)
    except NativeError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if chosen.key is None:
        print("Not signed: give --key, or hand SHA256SUMS over by another way.", file=sys.stderr)
    print(f"The bundle is in {chosen.folder}; its install.sh says how it is used.", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
