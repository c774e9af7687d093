#!/usr/bin/env bash
# A private Slurm of one node, all of it in one folder: for the tests of scans.
#   slurm_single_node.sh start DIR [LINE ...]   start it, with these lines added to slurm.conf
#   slurm_single_node.sh controller DIR         start the controller again, without what it remembered
#   slurm_single_node.sh stop DIR
# It needs the Debian packages slurmctld slurmd slurm-client munge, and neither root, systemd nor cgroups.
set -euo pipefail
command=$1 folder=$(mkdir -p "$2" && cd "$2" && pwd)
shift 2
PATH=$PATH:/usr/sbin
export SLURM_CONF=$folder/slurm.conf
node=$(hostname -s) # another name than this is "not a valid controller"

idle() { sinfo -h -o %T 2>/dev/null | grep -Eq 'idle|mixed|allocated'; }

wait_for() {
  for _ in $(seq 120); do "$@" && return; sleep 0.25; done
  echo "after 30 s not there: $*" >&2
  tail -n 20 "$folder"/log/*.log >&2
  return 1
}

free_ports() {
  python3 -c 'import socket
held = [socket.socket() for _ in range(2)]
[s.bind(("127.0.0.1", 0)) for s in held]
print(*(s.getsockname()[1] for s in held))'
}

configure() {
  read -r controller_port node_port < <(free_ports)
  processors=$(nproc)
  memory=$(awk '/MemTotal/ {print int($2 / 1024 * 0.9)}' /proc/meminfo)
  # two processors at least, so that tasks run side by side; Slurm need not know that there are less
  [ "$processors" -ge 2 ] || processors=2
  cat >"$SLURM_CONF" <<CONF
ClusterName=ndtest
SlurmctldHost=$node(127.0.0.1)
SlurmctldPort=$controller_port
SlurmdPort=$node_port
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
AuthType=auth/munge
CryptoType=crypto/munge
AuthInfo=socket=$folder/run/munge.sock
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
DefMemPerCPU=$((memory / processors))
SchedulerParameters=batch_sched_delay=0,sched_interval=5,bf_interval=5
ReturnToService=2
KillWait=5
MinJobAge=300
FirstJobId=1000
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/run/slurmctld.pid
SlurmdPidFile=$folder/run/slurmd.pid
SlurmctldLogFile=$folder/log/slurmctld.log
SlurmdLogFile=$folder/log/slurmd.log
GresTypes=gpu
NodeName=$node NodeAddr=127.0.0.1 CPUs=$processors RealMemory=$memory Gres=gpu:1 State=UNKNOWN
PartitionName=debug Nodes=$node Default=YES MaxTime=INFINITE State=UP
CONF
  printf '%s\n' "$@" >>"$SLURM_CONF"
  # a graphics processor that is none: what it is called is all that a task learns of it
  echo "NodeName=$node Name=gpu File=/dev/null" >"$folder/gres.conf"
}

end() { # a daemon, by the number that it left
  local file=$folder/run/$1.pid number
  [ -s "$file" ] || return 0
  number=$(cat "$file")
  kill "$number" 2>/dev/null || return 0
  for _ in $(seq 80); do
    kill -0 "$number" 2>/dev/null && [ "$(awk '/^State/ {print $2}' "/proc/$number/status" 2>/dev/null)" != Z ] || return 0
    sleep 0.1
  done
  kill -9 "$number" 2>/dev/null || true
}

case $command in
start)
  mkdir -p "$folder"/{run,spool,state,log}
  configure "$@"
  (umask 077 && head -c 1024 /dev/urandom >"$folder/run/munge.key")
  # a key of its own: the key of the system belongs to munge, and munged refuses that to anyone else
  munged --force --key-file="$folder/run/munge.key" --socket="$folder/run/munge.sock" \
    --pid-file="$folder/run/munged.pid" --log-file="$folder/log/munged.log" --seed-file="$folder/run/munge.seed" \
    2>"$folder/log/munged.start"
  slurmctld -c
  slurmd -c
  wait_for idle
  echo "$SLURM_CONF"
  ;;
controller) # with -c: one that was killed remembers jobs that no longer run, and they block the queue
  # other numbers than before: a node that still runs a job of the same number is taken out of service
  first=$(awk -F= '/^FirstJobId/ {print $2}' "$SLURM_CONF")
  sed -i "s/^FirstJobId=.*/FirstJobId=$((first + 1000))/" "$SLURM_CONF"
  slurmctld -c
  wait_for idle
  ;;
stop)
  scancel --user="$(id -u)" 2>/dev/null || true
  for _ in $(seq 40); do [ -z "$(squeue -h 2>/dev/null)" ] && break; sleep 0.25; done
  for daemon in slurmd slurmctld munged; do end "$daemon"; done
  ;;
esac
