#!/bin/sh
# Fetch NiiVue from npm at the pinned version into this folder, with the licences of what is in it.
# Run by `make niivue`; its results are committed, so that nobody else needs npm.
set -eu
version=0.69.0
expected=$(cat "$(dirname "$0")/niivue.sha256")
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-save --ignore-scripts --no-audit --no-fund "@niivue/niivue@$version"
found=$(sha256sum < node_modules/@niivue/niivue/dist/niivue.umd.js | cut -d' ' -f1)
if [ "$found" != "$expected" ]; then
    echo "niivue.umd.js of @niivue/niivue@$version: expected sha256 $expected, found $found" >&2
    exit 1
fi
cp node_modules/@niivue/niivue/dist/niivue.umd.js "$here/niivue.umd.js"
for package in array-equal fflate gl-matrix nifti-reader-js zarrita @zarrita/storage numcodecs @lukeed/uuid @ungap/structured-clone; do
    for licence in node_modules/"$package"/[Ll][Ii][Cc][Ee][Nn][CcSs][Ee]*; do
        if [ -f "$licence" ]; then
            printf '\n----- %s -----\n\n' "$package"
            cat "$licence"
        fi
    done
done > "$here/LICENSES-of-dependencies.txt"
