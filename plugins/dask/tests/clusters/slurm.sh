#!/bin/sh
# A real Slurm of one node on loopback, without systemd and with nothing under /etc, until the standard input ends. Says
# SLURM_CONF= once the node takes jobs. $PORT and $PORT2 are for its two daemons. Debian: slurm-wlm slurm-client munge.
set -eu
at=$(mktemp -d "${TMPDIR:-/tmp}/turgo-slurm.XXXXXX")
host=$(hostname -s)
daemons=
down() {
    trap - EXIT
    scancel --quiet --user="$(id -un)" 2>/dev/null || true
    for each in $daemons; do kill "$each" 2>/dev/null || true; wait "$each" 2>/dev/null || true; done
    rm -rf "$at"
}
trap down EXIT
trap 'exit 130' INT TERM
chmod 755 "$at"
mkdir "$at/state" "$at/spool"
dd if=/dev/urandom bs=1 count=1024 of="$at/munge.key" 2>/dev/null
chmod 400 "$at/munge.key"
SLURM_CONF=$at/slurm.conf
export SLURM_CONF
cat >"$SLURM_CONF" <<CONF
ClusterName=one
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$at/munge.socket
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmctldPort=$PORT
SlurmdPort=$PORT2
StateSaveLocation=$at/state
SlurmdSpoolDir=$at/spool
SlurmctldPidFile=$at/slurmctld.pid
SlurmdPidFile=$at/slurmd.pid
SlurmctldLogFile=$at/slurmctld.log
SlurmdLogFile=$at/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SwitchType=switch/none
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=2,batch_sched_delay=0,sched_min_interval=1
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
ReturnToService=2
KillWait=2
NodeName=$host NodeAddr=127.0.0.1 NodeHostname=$host CPUs=4 Boards=1 SocketsPerBoard=1 CoresPerSocket=4 ThreadsPerCore=1 RealMemory=4000 State=UNKNOWN
PartitionName=debug Nodes=$host Default=YES MaxTime=INFINITE OverSubscribe=NO State=UP
CONF
/usr/sbin/munged --force --foreground --key-file="$at/munge.key" --socket="$at/munge.socket" --pid-file="$at/munged.pid" \
    --log-file="$at/munged.log" --seed-file="$at/munge.seed" --num-threads=2 </dev/null >"$at/munged.out" 2>&1 &
daemons=$!
i=0
while [ ! -S "$at/munge.socket" ] && [ $i -lt 100 ]; do sleep 0.1; i=$((i + 1)); done
/usr/sbin/slurmctld -D -i </dev/null >"$at/slurmctld.out" 2>&1 &
daemons="$! $daemons"
/usr/sbin/slurmd -D -N "$host" </dev/null >"$at/slurmd.out" 2>&1 &
daemons="$! $daemons"
i=0
until [ "$(sinfo -h -o %t 2>/dev/null)" = idle ]; do
    i=$((i + 1))
    if [ $i -gt 150 ]; then tail -n 20 "$at"/*.out "$at"/*.log; exit 3; fi
    sleep 0.2
done
echo "SLURM_CONF=$SLURM_CONF"
echo ready
cat >/dev/null
