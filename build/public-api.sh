#!/usr/bin/env bash
# Writes what is public of each library into its PublicAPI.Unshipped.txt, as the compiler's complaints name it. At a release its lines move
# to PublicAPI.Shipped.txt.
set -euo pipefail
cd "$(dirname "$0")/.."
for project in Attune.Text Attune.Parquet Attune.Onnx Attune; do
    list=src/$project/PublicAPI.Unshipped.txt
    echo '#nullable enable' > "$list"
    [ -f "src/$project/PublicAPI.Shipped.txt" ] || echo '#nullable enable' > "src/$project/PublicAPI.Shipped.txt"
    # The compiler tells a few hundred complaints at a time.
    while true; do
        found=$(dotnet build "src/$project" -c Release -v q -nologo -p:TreatWarningsAsErrors=false |
            sed -n "s/.*RS0016: Symbol '\(.*\)' is not part of the declared public API.*/\1/p" | LC_ALL=C sort -u)
        [ -n "$found" ] || break
        { echo '#nullable enable'; { tail -n +2 "$list"; echo "$found"; } | LC_ALL=C sort -u; } > "$list.new"
        mv "$list.new" "$list"
    done
done
