# SPDX-License-Identifier: GPL-2.0-only
# Plots the cost of create + remove against the number of devices.
set terminal svg size 720,420 dynamic font "sans-serif,14" background "white"
set datafile separator comma
set title "create + remove of any mediated device, in instructions"
set xlabel "devices alive"
set ylabel "thousand instructions"
set key left top
set grid
set format x "%.0f"
set yrange [0:]
pair(core) = sprintf("<awk -F, -v c=%s '$2 == c && $4 ~ /^[0-9]+$/ && ($3 == \"create\" || $3 == \"remove_any\") { v[$4] += $6 } END { for (n in v) print n \",\" v[n] / 1000 }' %s | sort -n", core, csv)
plot pair("stock") with linespoints lw 2 pt 7 lc rgb "#c0392b" title "stock mdev.ko", \
     pair("ours") with linespoints lw 2 pt 5 lc rgb "#2471a3" title "ours", \
     pair("floor") with lines lw 1 dt 2 lc rgb "#555555" title "driver core alone"
