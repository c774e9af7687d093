#!/bin/sh
# Install the peers of the benchmarks, each into an environment of its own: they want other versions of NumPy and compilers
# than neurodyn. About 1.5 GB and ten minutes.  benchmarks/peers.sh [nest] [annarchy] [brainevent] [genn]
# GeNN is on no package index: give its sources, GENN=<checkout or git directory> benchmarks/peers.sh genn
set -eu
cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-python3}
here=.venv-peers

install() { # name, then what pip gets
    name=$1
    shift
    [ -e "$here/$name/.installed" ] && { echo "$name: there already"; return; }
    rm -rf "${here:?}/$name"
    "$PYTHON" -m venv "$here/$name"
    "$here/$name/bin/python" -m pip install --quiet --disable-pip-version-check "$@"
    touch "$here/$name/.installed"
    echo "$name: installed"
}

for peer in ${*:-nest annarchy brainevent genn}; do
    case $peer in
    nest) install nest nest-simulator==3.10.0 ;;
    annarchy) install annarchy ANNarchy==5.0.4.1 ;; # compiles networks with g++
    brainevent) install brainevent brainevent==0.2.1 brainstate==0.5.4 numba ;;
    genn)
        if [ -z "${GENN:-}" ]; then
            echo "genn: not installed; give GENN=<its sources> (needs g++, make, pkg-config, libffi-dev)"
        else
            sources=$(mktemp -d)
            if [ -e "$GENN/setup.py" ]; then cp -r "$GENN/." "$sources"; else git --git-dir "$GENN" archive "${GENN_REVISION:-HEAD}" | tar x -C "$sources"; fi
            install genn "$sources"
            rm -rf "$sources"
        fi
        ;;
    *)
        echo "unknown peer '$peer'; there are nest, annarchy, brainevent, genn" >&2
        exit 2
        ;;
    esac
done
