#!/usr/bin/env bash
# Proves on a machine with CUDA, in at most 9 minutes and without a network, what has been promised of one.
#
#   prove.sh [--out DIR] [--wheels DIR] [--seconds N] [--dry]
#
# --out DIR      what each step prints, and what it writes; $OUT where that is set, else results/gpu
# --wheels DIR   wheels to be used beside what is installed: click, rich, pydantic, pytest, hypothesis ...
# --seconds N    all steps together take at most so long: 530
# --dry          the same on a CPU, with tiny sizes, to see that the script itself works
#
# A step that fails stops no other. The last lines, and summary.txt, say of each: passed, failed, skipped or late.
# The exit code is 1 where a step has failed or was late.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
out=${OUT:-$root/results/gpu}
wheels='' budget=530 slow=1 dry='' device=cuda
while [ $# -gt 0 ]; do
    case $1 in
        --out) out=$2; shift 2 ;;
        --wheels) wheels=$2; shift 2 ;;
        --seconds) budget=$2; shift 2 ;;
        --dry) dry=--dry device=cpu slow=10; shift ;;
        *) echo "$0: unknown option $1; the head of this file explains all" >&2; exit 2 ;;
    esac
done
mkdir -p "$out" && out=$(cd "$out" && pwd) || exit 2
cd "$root" || exit 2
export PYTHONPATH=$root GANBENCH_NO_REPORT=1 TORCHINDUCTOR_COMPILE_THREADS=2
if [ -n "$wheels" ]; then
    python -m pip install -q --no-index --no-deps --target "$out/site" "$wheels"/*.whl || exit 2
    PYTHONPATH=$root:$out/site
fi
: > "$out/summary.txt"
bad=0
# A dry run is no matter of time: the machine may be busy.
budget=$((budget * slow))

# step NAME SECONDS COMMAND...: runs a command for at most so long, and for no longer than is left of all.
step() {
    local name=$1 most=$(($2 * slow)) begun=$SECONDS code said
    shift 2
    if [ $((budget - SECONDS)) -lt "$most" ]; then most=$((budget - SECONDS)); fi
    if [ "$most" -lt 1 ]; then
        said='late     0 s  no time was left'
        bad=1
    else
        timeout -k 5 "$most" "$@" > "$out/$name.txt" 2>&1
        code=$?
        case $code in
            0)
                said=passed
                if tail -n 1 "$out/$name.txt" | grep -Eq '^=+ [0-9]+ (skipped|deselected)'; then said=skipped; fi
                ;;
            124 | 137) said=late; bad=1 ;;
            *) said=failed; bad=1 ;;
        esac
        said=$(printf '%-7s %3d s  %s' "$said" $((SECONDS - begun)) "$(tail -n 1 "$out/$name.txt" | cut -c 1-90)")
    fi
    printf '%-10s %s\n' "$name" "$said" | tee -a "$out/summary.txt"
}

workers=$(($(nproc) / 2))
if [ -n "$dry" ]; then workers=0; fi
# A worker for each two cores, all on one GPU; -v: what has ended stands in the file, also where time runs out.
tests=(python -m pytest -v -p no:cacheprovider -n "$workers" --dist load)
suite=(python -m ganbench run --device "$device" --out "$out/runs" --no-pictures)
# ring NAME PRECISION SEEDS STEPS: writes the suite of this folder with these.
ring() { sed -e "s/NAME/$1/" -e "s/PRECISION/$2/" -e "s/SEEDS/$3/" -e "s/STEPS/$4/" tests/gpu/ring.yaml > "$out/$1.yaml"; }

# What is quick and says most comes first: what takes longest is what time may not be left for.
step machine 60 python tests/gpu/machine.py "$device"
if [ -n "$dry" ]; then
    step promises 60 "${tests[@]}" tests/gpu/promises.py --dry
    step engines 60 "${tests[@]}" tests/gpu/engines_agree.py --dry
    ring seeds float32 3 2
    step seeds 60 "${suite[@]}" "$out/seeds.yaml"
    step peers 60 "${tests[@]}" tests/benchmarks/test_peers.py -k '80_columns or take_turns'
    exit "$bad"
fi
step references 60 "${tests[@]}" -n 0 tests/plugins/test_references.py -k generators_device
step promises 120 "${tests[@]}" tests/gpu/promises.py
step engines 220 "${tests[@]}" tests/gpu/engines_agree.py
step smoke 60 "${suite[@]}" smoke
for precision in float32 tf32 bfloat16; do
    ring "$precision" "$precision" 16 2000
    step "$precision" 40 "${suite[@]}" "$out/$precision.yaml"
done
# What a precision changes in the JSD. Worse is a result, too: the exit code is 1 then.
step tf32-jsd 20 python -m ganbench compare "$out/runs/float32" "$out/runs/tf32"
step bf16-jsd 20 python -m ganbench compare "$out/runs/float32" "$out/runs/bfloat16"
ring seeds float32 1000 500
step seeds 60 "${suite[@]}" "$out/seeds.yaml"
step peers 90 "${tests[@]}" -n 0 tests/benchmarks/test_peers.py --benchmark-enable --peer-cases 128-512 \
    --peer-losses nonsaturating --peer-seeds 32 --peer-csv "$out/peers.csv"
step mog 200 "${suite[@]}" mog
exit "$bad"
