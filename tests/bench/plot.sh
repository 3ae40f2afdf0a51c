#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
# plot.sh FOLDER : joins what the benchmarks of this build wrote, FOLDER/ROOM.csv, to bench.csv and
# draws bench.svg: every line that had a peer, its ratio as a bar, green, red if short.
set -e
cd "$1"
rm -f bench.csv bench.svg
set -- *.csv
[ -f "$1" ] || { echo "plot: no benchmark has run in this build folder" >&2; exit 1; }
awk 'FNR > 1 || NR == 1' "$@" >bench.joined
mv bench.joined bench.csv
command -v gnuplot >/dev/null || { echo "SKIP: needs gnuplot; bench.csv is written"; exit 77; }
awk -F, 'NR > 1 && $5 != "-" { print $1 "\t" $5 "\t" ($7 == "ok" ? 3046706 : $7 == "short" ? 12986408 : 10395294) "\t" $6 }' \
	bench.csv >bench.data
[ -s bench.data ] || { echo "plot: no line had a peer" >&2; exit 1; }
rows=$(wc -l <bench.data)
# Room for the numbers behind the longest bar.
width=$(awk '$2 > m { m = $2 } END { print (m > 1 ? m : 1) * 1.3 }' bench.data)
gnuplot <<EOF
set terminal svg size 900, $((rows * 26 + 110)) dynamic noenhanced font "sans-serif,12"
set output "bench.svg"
set title "ours / peer, both in one run (red: short of its target)"
set yrange [$rows - 0.4:-0.6]
set xrange [0:$width]
set grid xtics
set arrow from 1, graph 0 to 1, graph 1 nohead dashtype 2
set lmargin 28
set rmargin 12
unset key
set datafile separator "\t"
plot "bench.data" using (0):0:(0):2:(\$0 - 0.35):(\$0 + 0.35):3:ytic(1) with boxxyerror fill solid linecolor rgb variable, \
	"" using 2:0:(sprintf(" %.2f (%s)", \$2, strcol(4))) with labels left font ",10"
EOF
rm bench.data
echo "# $PWD/bench.csv $PWD/bench.svg"
