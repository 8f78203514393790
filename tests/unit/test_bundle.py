"""The bundle is installed without a network, and only as it was signed; a small one stands for the real one.

`make bundle bundle-test` does the same with all wheels, Kafka and TimescaleDB.
"""

import io
import os
import shutil
import socket
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.bundle.__main__ import images, pack, seal
from tests import compose

INSTALLER = compose.ROOT / "deploy" / "bundle" / "install.sh"
_NO_NETWORK = ("unshare", "--map-root-user", "--net")


def can_cut_the_network() -> bool:
    """Whether this machine lets us make a network namespace."""
    try:
        done = subprocess.run([*_NO_NETWORK, "true"], capture_output=True, check=False)
    except FileNotFoundError:
        return False
    return done.returncode == 0


def wheel(folder: Path) -> None:
    """A package `canhdich` with a command of this name."""
    information = "canhdich-9.9.9.dist-info"
    with zipfile.ZipFile(folder / "canhdich-9.9.9-py3-none-any.whl", "w") as out:
        out.writestr("canhdich_stub.py", "def main():\n    print('usage: canhdich')\n")
        out.writestr(f"{information}/METADATA", "Metadata-Version: 2.1\nName: canhdich\nVersion: 9.9.9\n")
        out.writestr(
            f"{information}/WHEEL",
            "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        out.writestr(f"{information}/entry_points.txt", "[console_scripts]\ncanhdich = canhdich_stub:main\n")
        out.writestr(f"{information}/RECORD", "")


def key(path: Path) -> str:
    """Make an SSH key; its line of allowed_signers."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
    return "canhdich " + path.with_suffix(".pub").read_text()


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A signed bundle; `signers` beside it names who has signed."""
    if shutil.which("ssh-keygen") is None:
        pytest.skip("ssh-keygen is not here: install openssh-client")
    folder = tmp_path_factory.mktemp("release") / "bundle"
    (folder / "wheels").mkdir(parents=True)
    wheel(folder / "wheels")
    with tarfile.open(folder / "source.tar", "w") as out:
        member = tarfile.TarInfo("Makefile")
        member.size = 4
        out.addfile(member, io.BytesIO(b"up:\n"))
    (folder / "PYTHON").write_text("{}.{}\n".format(*sys.version_info[:2]))
    shutil.copy2(INSTALLER, folder / "install.sh")
    (folder.parent / "signers").write_text(key(folder.parent / "key"))
    seal(folder, folder.parent / "key")
    return folder


def install(
    folder: Path, *arguments: str | Path, cut: bool = False, cwd: Path | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run a bundle's installer, without a network where asked for."""
    # The installer looks for Python on the path: this one.
    path = f"{Path(sys.executable).resolve().parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        [*(_NO_NETWORK if cut else ()), folder / "install.sh", *arguments],
        env={**os.environ, "PATH": path},
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_is_installed_without_a_network(bundle: Path, tmp_path: Path) -> None:
    if not can_cut_the_network():
        pytest.skip("this machine allows no network namespaces: unshare --map-root-user --net")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        ask = f"import socket; socket.create_connection(('127.0.0.1', {port}), 2)"
        assert subprocess.run([sys.executable, "-c", ask], check=False).returncode == 0
        cut = subprocess.run([*_NO_NETWORK, sys.executable, "-c", ask], capture_output=True, check=False)
        assert cut.returncode != 0, "the network is not cut"
    # As an operator types them: from where he is, not from the bundle's folder.
    shutil.copy2(bundle.parent / "signers", tmp_path / "signers")
    done = install(bundle, "--signers", "signers", "new", cut=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert not (bundle / "new").exists()
    assert (tmp_path / "new" / "Makefile").read_text() == "up:\n"
    said = subprocess.run(
        [tmp_path / "new" / ".venv" / "bin" / "canhdich", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout == "usage: canhdich\n"
    assert (tmp_path / "new" / ".venv" / ".installed").exists()


def test_what_only_root_could_unpack_is_left_out(tmp_path: Path) -> None:
    folder = tmp_path / "root"
    (folder / "dev").mkdir(parents=True)
    # A pipe stands for the devices, which only root can make.
    os.mkfifo(folder / "dev" / "null")
    (folder / "dev" / "fd").symlink_to("/proc/self/fd")
    (folder / "lib.so").write_text("library")

    pack(tmp_path / "root.tar", folder)

    with tarfile.open(tmp_path / "root.tar") as packed:
        assert sorted(packed.getnames()) == ["root", "root/dev", "root/dev/fd", "root/lib.so"]
        assert {(member.uid, member.uname) for member in packed} == {(0, "root")}


def _change(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes() + b" ")


def _sign_by_another(folder: Path) -> None:
    key(folder.parent / "other")
    seal(folder, folder.parent / "other")


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (_change("wheels/canhdich-9.9.9-py3-none-any.whl"), "Files differ"),
        (_change("install.sh"), "Files differ"),
        (lambda folder: (folder / "source.tar").unlink(), "Files differ"),
        (lambda folder: (folder / "wheels" / "numpy-9-py3-none-any.whl").touch(), "Not in SHA256SUMS"),
        (_change("SHA256SUMS"), "is not signed by anybody"),
        (_sign_by_another, "is not signed by anybody"),
        (lambda folder: seal(folder, None), "is not signed by anybody"),
        (
            lambda folder: (folder / "PYTHON").write_text("2.7\n") and seal(folder, folder.parent / "key"),
            "2.7 is needed",
        ),
    ],
)
def test_what_is_not_as_it_was_signed_is_refused(
    bundle: Path, tmp_path: Path, break_it: Callable[[Path], object], said: str
) -> None:
    folder = tmp_path / "bundle"
    shutil.copytree(bundle, folder)
    shutil.copy2(bundle.parent / "key", tmp_path / "key")
    break_it(folder)
    done = install(folder, "--signers", bundle.parent / "signers", tmp_path / "new")
    assert done.returncode != 0
    assert said in done.stderr, done.stderr
    assert not (tmp_path / "new").exists()


def test_who_signed_must_be_said_and_the_folder_be_new(bundle: Path, tmp_path: Path) -> None:
    done = install(bundle, tmp_path / "new")
    assert done.returncode == 2
    assert "Usage: install.sh --signers FILE TARGET" in done.stderr
    (tmp_path / "file").touch()
    done = install(bundle, "--unsigned", tmp_path)
    assert done.returncode == 2
    assert "is not empty" in done.stderr


def test_the_images_are_those_of_the_compose_file() -> None:
    found = images(compose.FILE.read_text("utf-8"))
    services = compose.services().values()
    assert sorted(found) == sorted(
        {one["image"] for one in services if not one["image"].startswith("canhdich")}
    )
