#!/bin/sh
# held.sh COMMAND…: run a command until the standard input ends, so that it outlives nobody who started it. The command is
# asked to end, and killed with the processes that it left in its group if it has not within five seconds.
set -u
setsid "$@" </dev/null & child=$!
trap 'exit 130' INT TERM
cat >/dev/null
kill "$child" 2>/dev/null
i=0
while kill -0 "$child" 2>/dev/null && [ $i -lt 50 ]; do sleep 0.1; i=$((i + 1)); done
kill -KILL -- "-$child" 2>/dev/null
wait "$child" 2>/dev/null
exit 0
