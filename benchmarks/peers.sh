#!/bin/sh
# Install the peers of the benchmarks, each into an environment of its own: they want other versions of NumPy and compilers
# than neurodyn. About 1.5 GB and ten minutes.  benchmarks/peers.sh [nest] [annarchy] [brainevent]
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

for peer in ${*:-nest annarchy brainevent}; do
    case $peer in
    nest) install nest nest-simulator==3.10.0 ;;
    annarchy) install annarchy ANNarchy==5.0.4.1 ;; # compiles networks with g++
    brainevent) install brainevent brainevent==0.2.1 numba ;;
    *)
        echo "unknown peer '$peer'; there are nest, annarchy, brainevent" >&2
        exit 2
        ;;
    esac
done
