#!/bin/sh
# The trainings that fit into a quarter of an hour on one GPU, one after the other:
#     sh benchmarks/gpu/quarter_hour.sh DATA OUT SECONDS
# DATA holds camvid, idd_lite, labelmefacade and vgg16-convolutions.safetensors. Processes side by
# side take turns on the GPU, and each run needs about 20 seconds before its first epoch: few runs
# that follow each other learn more in the same time.
set -u
data=$1 out=$2 seconds=$3
train() {
    name=$1; shift
    python3 -m benchmarks.gpu.train_family --data "$data/camvid" --idd-lite "$data/idd_lite" \
        --labelmefacade "$data/labelmefacade" --backbones "$data" --out "$out/$name" "$@" \
        > "$out/$name.log" 2>&1
}
of() { echo $((seconds * $1 / 100)); }
mkdir -p "$out"
papers="shelfnet50 paper;segnet_basic paper;segnet paper of segfast;enet paper"
train streets --group streets --budget-seconds "$(of 45)"
train papers --only "$papers" --budget-seconds "$(of 54)" --weights-mib 36
