#!/bin/sh
# Two networks joined by one link and by nothing else, until the standard input ends: 10.99.0.1 <--> 10.99.0.2. Each is the
# network of a process that sleeps, and goes with it; no other process sees its addresses. Says NEAR= and FAR=, the ids
# of the two, for `nsenter --net`. Debian: iproute2.
set -eu
near= far=
down() {
    trap - EXIT
    for each in $near $far; do kill "$each" 2>/dev/null || true; wait "$each" 2>/dev/null || true; done
}
trap down EXIT
trap 'exit 130' INT TERM
unshare --net sleep 100000 </dev/null >/dev/null 2>&1 & near=$!
unshare --net sleep 100000 </dev/null >/dev/null 2>&1 & far=$!
for each in $near $far; do
    i=0
    while [ "$(readlink "/proc/$each/ns/net")" = "$(readlink /proc/self/ns/net)" ]; do
        i=$((i + 1))
        if [ $i -gt 50 ] || ! kill -0 "$each" 2>/dev/null; then echo "no network namespace can be made here"; exit 3; fi
        sleep 0.1
    done
done
nsenter --target "$near" --net ip link add near type veth peer name far netns "$far"
# side ID LINK ADDRESS
side() {
    nsenter --target "$1" --net sh -eu <<END
ip link set lo up
ip addr add $3/24 dev $2
ip link set $2 up
END
}
side "$near" near 10.99.0.1
side "$far" far 10.99.0.2
echo "NEAR=$near"
echo "FAR=$far"
echo ready
cat >/dev/null
