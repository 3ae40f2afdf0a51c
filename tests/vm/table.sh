#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#
# The kernel matrix as a table, made of what guests printed, and held against tests/vm/expected.
#
#   tests/vm/table.sh make FOLDER        FOLDER/NAME.log is the console of the guest NAME: prints the table
#   tests/vm/table.sh judge OLD NEW      prints every cell that differs; exit 1 if one of them must not
#   tests/vm/table.sh markdown TABLE     the table for doc/KERNELS.md
#
# A table is lines split by tabs: row, then one cell a kernel; the first line names the kernels. Rows are
# `feature NAME` (the probe), `object NAME` (a block of the library loads), `hook NAME` (an effect test saw it work:
# test_way) and `test PROGRAM [CASE]`, which are there only where a guest did not run all of it: a test that has no
# row works on every kernel. Cells are: works, falls back to X, refused, not there, skipped, failed, - (no answer).
#
# judge: less than expected, something else of the same worth, a row that is gone, or "failed" anywhere is wrong.
# More than expected is wrong too, since the table would then say less than is true, except on `newest`, which
# moves while nobody looks: there it is told only.
set -euo pipefail
export LC_ALL=C

kernels=(5.10 6.1 6.12 newest)

make_table() {
	local name files=()
	for name in "${kernels[@]}"; do
		[ ! -s "$1/$name.log" ] || files+=("$1/$name.log")
	done
	[ ${#files[@]} -gt 0 ] || { echo "tests/vm/table.sh: no guest's log in $1" >&2; exit 2; }
	awk -v names="${kernels[*]}" '
		function put(row, cell) {
			if (!(row in seen)) { seen[row] = 1; order[++rows] = row }
			# Two tests of one hook must say the same.
			if ((row, kernel) in cells && cells[row, kernel] != cell)
				cell = cells[row, kernel] " and " cell
			cells[row, kernel] = cell
		}
		BEGIN { columns = split(names, name, " "); worth["yes"] = "works"; worth["no"] = "not there" }
		{ sub(/\r$/, "") }
		FNR == 1 { kernel = FILENAME; sub(/.*\//, "", kernel); sub(/\.log$/, "", kernel) }
		$1 == "EBN-FEATURE" { put("feature " $2, $3 in worth ? worth[$3] : $3) }
		$1 == "EBN-OBJECT" { put("object " $2, $3) }
		$1 == "EBN-WAY" { split(substr($0, 9), part, "\t"); put("hook " part[2], part[1]) }
		$1 == "EBN-CASE" { put("test " $2 " " $3, $4) }
		$1 == "EBN-TEST" { ran[$2, kernel] = $3 == "skipped" ? "skipped" : "works"; if ($3 != "works") put("test " $2, $3) }
		END {
			line = "row"
			for (i = 1; i <= columns; i++) line = line "\t" name[i]
			print line
			for (r = 1; r <= rows; r++) {
				line = order[r]
				split(line, word, " ")
				for (i = 1; i <= columns; i++) {
					cell = "-"
					if ((order[r], name[i]) in cells) cell = cells[order[r], name[i]]
					# Listed for another kernel: here it is as the program was.
					else if (word[1] == "test" && (word[2], name[i]) in ran) cell = ran[word[2], name[i]]
					line = line "\t" cell
				}
				print line
			}
		}' "${files[@]}" | { IFS= read -r head; echo "$head"; sort; }
}

judge() {
	awk -F '\t' '
		function worth(cell) {
			if (cell == "works") return 3
			if (cell ~ /^falls back to / && cell !~ / and /) return 2
			return cell == "failed" || cell == "-" || cell ~ / and / ? 0 : 1
		}
		# What no line says of a test is that it works; of anything else that nobody expected it.
		function cell_of(table, row, column) {
			if ((table, row, column) in cells) return cells[table, row, column]
			return row ~ /^test / ? "works" : "-"
		}
		FNR == 1 { table = NR == 1 ? "old" : "new" }
		/^#/ || /^$/ { next }
		$1 == "row" { for (i = 2; i <= NF; i++) name[table, i] = $i; columns[table] = NF; next }
		{
			if (!($1 in seen)) { seen[$1] = 1; order[++rows] = $1 }
			for (i = 2; i <= columns[table]; i++) cells[table, $1, name[table, i]] = $i
		}
		END {
			for (r = 1; r <= rows; r++) for (i = 2; i <= columns["old"]; i++) {
				row = order[r]; kernel = name["old", i]
				was = cell_of("old", row, kernel); is = cell_of("new", row, kernel)
				if (was == is && is != "failed") continue
				wrong = !(worth(is) > worth(was) && kernel == "newest")
				printf "%s  %s on %s: %s, expected: %s\n", wrong ? "WRONG" : "better", row, kernel, is, was
				bad += wrong
			}
			exit bad > 0
		}' "$1" "$2"
}

# The names of the rows are for people here: what is there on every kernel needs no row.
markdown() {
	awk -F '\t' '
		/^#/ || /^$/ { next }
		$1 == "row" {
			line = "| "; under = "|---"
			for (i = 2; i <= NF; i++) { line = line "| " $i " "; under = under "|---" }
			print line "|"; print under "|"; next
		}
		{
			line = "| " $1 " "
			for (i = 2; i <= NF; i++) line = line "| " $i " "
			print line "|"
		}' "$1"
}

case "${1:-}:$#" in
make:2) make_table "$2" ;;
judge:3) judge "$2" "$3" ;;
markdown:2) markdown "$2" ;;
*)
	sed -n '3,9s/^# \{0,1\}//p' "$0" >&2
	exit 2
	;;
esac
