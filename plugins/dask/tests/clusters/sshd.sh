#!/bin/sh
# A real sshd on loopback, with keys of its own, until the standard input ends. Says SSH_PORT=, SSH_PID= and SSH_DIR= (the folder
# of id_ed25519 and known_hosts) once it answers. Debian: openssh-server.
set -eu
at=$(mktemp -d "${TMPDIR:-/tmp}/turgo-sshd.XXXXXX")
server=
down() {
    trap - EXIT
    if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; fi
    rm -rf "$at"
}
trap down EXIT
trap 'exit 130' INT TERM
ssh-keygen -q -t ed25519 -N '' -f "$at/host"
ssh-keygen -q -t ed25519 -N '' -f "$at/id_ed25519"
echo "[127.0.0.1]:$PORT $(cut -d' ' -f1,2 "$at/host.pub")" >"$at/known_hosts"
mkdir -p /run/sshd
cat >"$at/config" <<CONF
Port $PORT
ListenAddress 127.0.0.1
HostKey $at/host
PidFile none
AuthorizedKeysFile $at/id_ed25519.pub
StrictModes no
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
MaxStartups 50
CONF
/usr/sbin/sshd -D -e -f "$at/config" </dev/null >"$at/log" 2>&1 &
server=$!
i=0
until grep -q listening "$at/log"; do
    i=$((i + 1))
    if [ $i -gt 100 ] || ! kill -0 "$server" 2>/dev/null; then cat "$at/log"; exit 3; fi
    sleep 0.1
done
echo "SSH_PORT=$PORT"
echo "SSH_PID=$server"
echo "SSH_DIR=$at"
echo ready
cat >/dev/null
