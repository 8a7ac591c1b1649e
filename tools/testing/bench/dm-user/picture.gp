# SPDX-License-Identifier: GPL-2.0-only
# Plots the instructions of a 4 KiB read.
set terminal svg size 720,420 dynamic font "sans-serif,14" background "white"
set datafile separator comma
set title "4 KiB random read, in instructions per request"
set ylabel "thousand instructions"
set style data histograms
set style fill solid 0.8 border -1
set grid ytics
set yrange [0:]
set key left top
row(name) = sprintf("<awk -F, -v r=%s '$3 == r && (!($2 in v) || $4 < v[$2]) { v[$2] = $4 } END { for (d in v) print d \",\" v[d] / 1000 }' %s | sort -t, -nk2", name, csv)
plot row("read_1") using 2:xtic(1) lc rgb "#2471a3" title "depth 1", \
     row("read_32") using 2 lc rgb "#c0392b" title "depth 32"
