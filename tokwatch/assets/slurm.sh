#!/bin/bash
#SBATCH --job-name=serve
#SBATCH --gpus-per-node=8
# A recorder on each node beside the job's own steps. Made by `tokwatch assets slurm`.
# The store lies on the node's own disk, since SQLite's WAL does not work on Lustre or NFS; it is fetched at the end.

store='/tmp/tokwatch-$SLURM_JOB_ID-$(hostname -s).db'
srun --overlap --ntasks="$SLURM_NNODES" --ntasks-per-node=1 bash -c "exec {tokwatch} record --store $store" &
recorder=$!

srun bash serve.sh  # the job itself

kill -TERM "$recorder"  # flushes
wait "$recorder"
srun --overlap --ntasks="$SLURM_NNODES" --ntasks-per-node=1 bash -c "mv $store '$SLURM_SUBMIT_DIR/'"
