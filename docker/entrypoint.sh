#!/bin/sh
# Starts one role of Holdfast; exec, so that signals reach it.
set -eu
role=${1:-api}
case "$role" in
  api | worker | relay | mover | migrate | rebuild-catalog | standalone) ;;
  *)
    echo "holdfast: unknown role '$role'; one of: api worker relay mover migrate rebuild-catalog standalone" >&2
    exit 64
    ;;
esac
shift 2>/dev/null || true
exec node "/holdfast/dist/src/main/$role.js" "$@"
