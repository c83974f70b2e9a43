#!/bin/sh
# Prints what one #include costs a user, in milliseconds of g++ -std=c++20 -fsyntax-only: the median of 9 runs each.
# header_cost.sh [COMPILER]
set -eu
compiler=${1:-g++}
cd "$(dirname "$0")/../.."

# cost NAME DIRECTIVE
cost() {
  for _ in 1 2 3 4 5 6 7 8 9; do
    start=$(date +%s%N)
    echo "$2" | "$compiler" -std=c++20 -Iinclude -DARMA_DONT_USE_WRAPPER -fsyntax-only -x c++ -
    end=$(date +%s%N)
    echo $(((end - start) / 1000))
  done | sort -n | awk -v name="$1" 'NR == 5 { printf "%-24s %6.0f ms\n", name, $1 / 1000 }'
}

cost "nothing" ""
cost "<vector>" "#include <vector>"
cost "<dlarray/dlarray.hpp>" "#include <dlarray/dlarray.hpp>"
cost "<dlarray/armadillo.hpp>" "#include <dlarray/armadillo.hpp>"
