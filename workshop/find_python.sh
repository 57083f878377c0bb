#!/usr/bin/env bash
# Print the Python that the virtual environment is made with: 3.11 or newer.
set -euo pipefail

for candidate in python3 /usr/bin/python3 python3.13 python3.12 python3.11; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
        >/dev/null 2>&1; then
        echo "$candidate"
        exit 0
    fi
done
echo "Python 3.11 or newer is needed: install python3." >&2
exit 1
