#!/bin/sh
# All trainings of a quarter of an hour on one GPU, three processes side by side:
#     sh benchmarks/gpu/quarter_hour.sh DATA OUT SECONDS
# DATA holds camvid, idd_lite, labelmefacade and vgg16-convolutions.safetensors. The wide networks
# fill the GPU; between the small kernels of the others there is room.
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
wide="segnet paper;segnet_basic paper;fcn8s paper;shelfnet50 paper;segnet paper of segfast"
wide="$wide;shelfnet18_lw paper;shelfnet34_lw paper;fcn8s paper from VGG-16"
wide="$wide;segnet paper from scratch"
shelves="shelfnet50 shared;shelfnet50 unshared;shelfnet50 without dropout"
narrow="enet paper;fast_scnn paper;segfast paper;segfast_basic paper;fast_scnn half"
narrow="$narrow;fast_scnn quarter"
{
    train wide --only "$wide" --budget-seconds "$(of 77)" --weights-mib 0
    train shelves --only "$shelves" --budget-seconds "$(of 22)" --weights-mib 0
} &
{
    train streets --group streets --budget-seconds "$(of 60)"
    train rows --group rows --budget-seconds "$(of 39)" --weights-mib 36
} &
{
    train narrow --only "$narrow" --budget-seconds "$(of 52)"
    train enet --group enet --budget-seconds "$(of 47)" --weights-mib 0
} &
wait
