#!/bin/sh
# Installs Canh Dịch from this folder on a machine without a network.
# Usage: install.sh --signers FILE TARGET     FILE: who may sign, in the form of ssh-keygen's allowed_signers
#        install.sh --unsigned TARGET         trust the folder as it is
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
signers=""
unsigned=""
while [ $# -gt 1 ]; do
    case $1 in
        --signers) signers=$2; shift 2 ;;
        --unsigned) unsigned=yes; shift ;;
        *) break ;;
    esac
done
if [ $# -ne 1 ] || { [ -z "$signers" ] && [ -z "$unsigned" ]; }; then
    sed -n '2,4s/^# //p' "$0" >&2
    exit 2
fi
# Both are meant from where this was called, not from the bundle's folder.
target=$(realpath -m -- "$1")
[ -z "$signers" ] || signers=$(realpath -m -- "$signers")
if [ -e "$target" ] && [ -n "$(ls -A "$target")" ]; then
    echo "$target is not empty: give a new folder, or move what is there." >&2
    exit 2
fi

cd "$here"
if [ -n "$signers" ]; then
    if ! ssh-keygen -Y verify -f "$signers" -I canhdich -n canhdich-bundle -s SHA256SUMS.sig <SHA256SUMS >/dev/null; then
        echo "SHA256SUMS is not signed by anybody of $signers: nothing is installed." >&2
        exit 1
    fi
fi
if ! sha256sum --check --strict --quiet SHA256SUMS; then
    echo "Files differ from SHA256SUMS: copy the folder again. Nothing is installed." >&2
    exit 1
fi
listed=$(mktemp)
trap 'rm -f "$listed"' EXIT
sed -E 's/^[0-9a-f]{64}  //' SHA256SUMS | sort >"$listed"
extra=$(find . -type f ! -name SHA256SUMS ! -name SHA256SUMS.sig | sed 's|^\./||' | sort | comm -13 "$listed" -)
if [ -n "$extra" ]; then
    echo "Not in SHA256SUMS: $extra. Nothing is installed." >&2
    exit 1
fi

wanted=$(cat PYTHON)
python=$(command -v "python$wanted" || command -v python3)
if ! "$python" -c "import sys; sys.exit('%d.%d' % sys.version_info[:2] != '$wanted')"; then
    echo "Python $wanted is needed: the packages in here are made for it. Found: $("$python" --version)." >&2
    exit 3
fi

mkdir -p "$target"
tar --extract --file source.tar --directory "$target"
echo "Setting up $target/.venv ..."
"$python" -m venv "$target/.venv"
"$target/.venv/bin/pip" install --quiet --disable-pip-version-check --no-index --find-links wheels canhdich
if [ -d native ]; then
    mkdir -p "$target/.native/cache/kafka/libs" "$target/.native/cache/timescale"
    tar --extract --file native/kafka.tar --directory "$target/.native/cache/kafka/libs"
    tar --extract --file native/timescale.tar --directory "$target/.native/cache/timescale"
fi
# The Makefile has nothing left to fetch.
touch "$target/.venv/.installed"
"$target/.venv/bin/canhdich" --help >/dev/null
echo "Installed. Next: cd $target && make up"
