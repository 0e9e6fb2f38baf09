#!/bin/sh
# Starts one role of Holdfast, or its vault tool; exec, so that signals reach it.
set -eu
role=${1:-api}
case "$role" in
  api | worker | relay | mover | migrate | rebuild-catalog | standalone) program=$role ;;
  vault) program=vault-tool ;;
  *)
    echo "holdfast: unknown role '$role'; one of: api worker relay mover migrate rebuild-catalog standalone vault" >&2
    exit 64
    ;;
esac
[ $# -eq 0 ] || shift
exec node "/holdfast/dist/src/main/$program.js" "$@"
