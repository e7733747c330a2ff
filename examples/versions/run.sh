#!/usr/bin/env bash
# Two versions of a dataset, published and read back: build 1.0.0, tag it, push it; add strips, build 1.1.0, tag it, push
# it; then, as somebody else: clone, check a tag out, pull the version, verify it, and get it without a clone.
#
#   examples/versions/run.sh FOLDER REMOTE [ENDPOINT]
#
#   FOLDER    is made, and everything happens in it
#   REMOTE    where DVC keeps the bytes: a folder (its whole path), or a URL such as s3://BUCKET/PREFIX
#   ENDPOINT  of an S3 server that is not the usual one, such as http://127.0.0.1:5000; the keys come from the
#             environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY) and are written nowhere
#
# docs/how-to/publish_a_version.md says the same of a project of your own. Takes about a minute on 2 cores.
set -euo pipefail

if [ $# -lt 2 ]; then
  sed -n '5,11s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
folder=$1 remote=$2 endpoint=${3:-}
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
export PATH="$repository/.venv/bin:$PATH"
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)

step() { printf '\n== %s\n' "$*"; }
# What provenance.json states of a version: one SHA-256 over its parameters and every file.
digest() { sed -n 's/^  "digest": "\([0-9a-f]*\)",$/\1/p' "$1/provenance.json"; }

step "a project: this repository's code and stages, params of its own"
mkdir "$folder/maker"
cd "$folder/maker"
cp -R "$repository"/drae_* "$repository/pipelines" "$repository/.dvcignore" "$repository/.gitignore" .
find . -name __pycache__ -prune -exec rm -r {} +
# Of the stages those that make data: the last of them, archive, is what DVC keeps and pushes.
awk '/^  [a-z_]+:/ {keep = /^  (synthesize|build|inspect_data|archive):/} /^stages:/ {keep = 1} keep' \
  "$repository/dvc.yaml" > dvc.yaml
cat > params.yaml <<'PARAMS'
synthesize:
  folder: data/frames
  line:
    seed: 1
    image_format: png
    lot: LOT 1
    frame: {height: 275, width: 350, vials: 5}
    camera: {light_level: 236, light_unevenness: 0.09, light_drift: 0.015, noise_sigma: 1.5, blur_pixels: 0.8}
    variation:
      {thickness: 0.05, tint: 0.06, level_pixels: 14, pose_pixels: 3, pose_degrees: 0.12, regrip_pixels: 0.6}
    motion: {frames: 4, slosh_pixels: 9, bubbles: 13, drops: 11, neck_liquid: 0.5}
    defect_sizes: # of defects that this set has none of
      {stuck_particle: [5, 20], particle_with_foam: [6, 16], body_deformation_light: [36, 62],
       body_deformation_heavy: [56, 92], black_spot: [4, 14], burn: [20, 64], scratch_light: [26, 72],
       scratch_deep: [34, 84], neck_bump: [9, 20], laser_cut_imperfection: [10, 30],
       foreign_liquid_behaviour: [14, 40]}
  sets:
    production: {good: 6, defective: 0, runs: 1, frames: [0, 1, 2, 3]}
strip_layout:
  units: pixels
  frame_size: {height: 275, width: 350}
  allow_overlap: false
  boxes:
    R1: [[15, 73, 64, 64], [79, 73, 64, 64], [143, 73, 64, 64], [207, 73, 64, 64], [271, 73, 64, 64]]
    R2: [[15, 137, 64, 64], [79, 137, 64, 64], [143, 137, 64, 64], [207, 137, 64, 64], [271, 137, 64, 64]]
patch: {size: 32, fit: stretch, grow: linear, fill: 0, encoding: png}
dataset: {folder: datasets, archive: archive, version: 1.0.0}
build:
  production:
    root: data/frames/production
    tables: data/frames/production_tables
    path_template: "{strip}/run_{run}/frame_{frame}.png"
    frames: [0, 1, 2, 3]
    images: {frames: [0, 1, 2, 3], rank: [min, max]}
    split: {by: strip, validation_fraction: 0.2, seed: 1}
    shard_patches: 60
    max_frame_pixels: 1000000
    max_quarantined: 0
    extends: ""
PARAMS
# What a version is asked for before it is archived is asked here as in the demo.
awk '/^[a-z]/ {keep = /^inspect_data:/} keep' "$repository/params.yaml" >> params.yaml
git init --quiet --initial-branch main
git config user.name "example" && git config user.email "example@localhost"
dvc init --quiet
cp "$repository/.dvc/config" .dvc/config # Hard links before copies: disk holds a dataset once.

step "where the bytes go: a DVC remote"
dvc remote add --default store "$remote"
if [ -n "$endpoint" ]; then dvc remote modify store endpointurl "$endpoint"; fi
git add .
git commit --quiet -m "A project"

step "version 1.0.0: build, commit, tag with the digest, push"
dvc repro --quiet archive
git add .
git commit --quiet -m "production 1.0.0"
git tag -a data-v1 -m "production 1.0.0, digest $(digest archive/production/1.0.0)"
dvc push --quiet

step "more strips come, and version 1.1.0 extends 1.0.0"
sed -i 's/good: 6/good: 9/; s/version: 1.0.0/version: 1.1.0/; s/extends: ""/extends: 1.0.0/' params.yaml
dvc repro --quiet archive
git add .
git commit --quiet -m "production 1.1.0"
git tag -a data-v2 -m "production 1.1.0, digest $(digest archive/production/1.1.0)"
dvc push --quiet

step "the repository where others find it"
git init --quiet --bare --initial-branch main "$folder/origin.git"
git push --quiet "$folder/origin.git" main --tags

step "the old version comes back: git for the recipe, DVC for the bytes"
git checkout --quiet data-v1
dvc checkout --quiet
dvc status # Up to date.

step "somebody else: clone, check 1.0.0 out, pull it, verify it"
git clone --quiet "$folder/origin.git" "$folder/reader"
cd "$folder/reader"
git checkout --quiet data-v1
dvc pull --quiet archive
python -m pipelines.verify archive/production/1.0.0
# The bytes come from the remote, the tag from the repository: who changes one of them cannot make them agree.
git tag -l --format='%(contents:subject)' data-v1 | grep --fixed-strings "digest $(digest archive/production/1.0.0)"

step "and 1.1.0 with its frames: a second name for each file makes it the version folder that builds go on from"
git checkout --quiet data-v2
dvc pull --quiet
python -m pipelines.verify archive/production/1.1.0
git tag -l --format='%(contents:subject)' data-v2 | grep --fixed-strings "digest $(digest archive/production/1.1.0)"
mkdir -p datasets/production
cp -al archive/production/1.1.0 datasets/production/1.1.0
dvc status # Up to date: nothing is built again here.

step "without a clone: dvc get, from any folder"
mkdir "$folder/elsewhere"
cd "$folder/elsewhere"
dvc get --quiet "$folder/origin.git" archive/production/1.0.0 --rev data-v1 --out production-1.0.0
digest production-1.0.0
