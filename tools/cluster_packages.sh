#!/bin/sh
# Install what the tests against real clusters need from Debian: sshd, a Slurm of one node, tools for network namespaces.
# What is there already is left alone; to install what is not takes root and apt. `--print` only says what is missing.
set -eu
PATH=$PATH:/usr/sbin:/sbin
missing=
# need COMMAND PACKAGE
need() {
    command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}
need sshd openssh-server
need ssh-keygen openssh-client
need slurmctld slurm-wlm
need slurmd slurm-wlm
need sbatch slurm-client
need munged munge
need ip iproute2
need nsenter util-linux
missing=$(printf '%s\n' $missing | sort -u | tr '\n' ' ')
missing=${missing% }
if [ "${1:-}" = --print ]; then
    echo "$missing"
    exit 0
fi
if [ "$(id -u)" != 0 ]; then
    echo "The tests against real clusters run daemons and make network namespaces, so they need root, best in a container." >&2
    echo "Debian packages that are missing here: ${missing:-none}" >&2
    exit 1
fi
if [ -z "$missing" ]; then exit 0; fi
if ! command -v apt-get >/dev/null 2>&1; then
    echo "There is no apt-get here. Install what Debian calls: $missing" >&2
    exit 1
fi
echo "installing from Debian: $missing"
# A daemon that a package would start is kept from starting: the tests start their own, on loopback.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
    trap 'rm -f $policy' EXIT
    printf '#!/bin/sh\nexit 101\n' >$policy
    chmod +x $policy
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# shellcheck disable=SC2086  (the names are to be split)
apt-get install -y -qq --no-install-recommends -o Dpkg::Use-Pty=0 $missing >/dev/null
