#!/bin/sh
# Prints the first Python on PATH that is new enough and can make a virtual environment; PYTHON=… is tried first.
# Each is run, not only looked for: a version manager's shim may exist for a Python that does not.

bare=
for python in ${PYTHON:+"$PYTHON"} python3.11 python3 python3.12 python3.13 python3.14; do
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue
    if "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        echo "$python"
        exit
    fi
    bare=$python
done

if [ -n "$bare" ]; then
    package=$("$bare" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
    echo "$bare cannot make a virtual environment; on Debian or Ubuntu mend it with: apt install $package" >&2
else
    echo "authsvc needs Python 3.11 or newer, and PATH has neither a python3.11 nor a python3 that is." >&2
fi
exit 1
