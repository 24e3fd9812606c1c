/**
 * Optimal assignment of rows to columns where a row may also stay without a column.
 *
 * Minimises the sum of `cost` over assigned pairs plus `unassignedCost` for each row without a column. A pair
 * is never made when its cost is not finite (a gate) or when leaving the row alone is cheaper. Solved by
 * shortest augmenting paths with dual variables (Kuhn 1955; Jonker & Volgenant 1987) in O(rows² · (rows +
 * columns)): each row gets one private dummy column at `unassignedCost`, so that a solution always exists.
 *
 * @param cost row-major `rows × columns`; any finite number, or `Infinity` for a forbidden pair. Not kept.
 * @returns for each row its column, or -1.
 */
export function assign(
  cost: Float64Array,
  rows: number,
  columns: number,
  unassignedCost: number,
): Int32Array {
  const width = columns + rows;
  // Index 0 of rows and columns is a sentinel: the path search starts from column 0, held by the row to place.
  const rowPotential = new Float64Array(rows + 1);
  const columnPotential = new Float64Array(width + 1);
  const rowOfColumn = new Int32Array(width + 1);
  const previous = new Int32Array(width + 1);
  const shortest = new Float64Array(width + 1);
  const isVisited = new Uint8Array(width + 1);

  const costOf = (row: number, column: number): number => {
    if (column <= columns) return cost[(row - 1) * columns + column - 1]!;
    return column - columns === row ? unassignedCost : Number.POSITIVE_INFINITY;
  };

  for (let row = 1; row <= rows; row++) {
    rowOfColumn[0] = row;
    shortest.fill(Number.POSITIVE_INFINITY);
    isVisited.fill(0);
    let column = 0;
    do {
      isVisited[column] = 1;
      const from = rowOfColumn[column]!;
      let step = Number.POSITIVE_INFINITY;
      let next = -1;
      for (let candidate = 1; candidate <= width; candidate++) {
        if (isVisited[candidate]) continue;
        const reduced = costOf(from, candidate) - rowPotential[from]! - columnPotential[candidate]!;
        if (reduced < shortest[candidate]!) {
          shortest[candidate] = reduced;
          previous[candidate] = column;
        }
        if (shortest[candidate]! < step) {
          step = shortest[candidate]!;
          next = candidate;
        }
      }
      // A row's own dummy column is always reachable, so a next column exists; NaN costs would break that.
      if (next < 0) throw new RangeError('assign: costs must be numbers');
      for (let visited = 0; visited <= width; visited++) {
        if (isVisited[visited]) {
          const holder = rowOfColumn[visited]!;
          rowPotential[holder] = rowPotential[holder]! + step;
          columnPotential[visited] = columnPotential[visited]! - step;
        } else {
          shortest[visited] = shortest[visited]! - step;
        }
      }
      column = next;
    } while (rowOfColumn[column] !== 0);
    do {
      const before = previous[column]!;
      rowOfColumn[column] = rowOfColumn[before]!;
      column = before;
    } while (column !== 0);
  }

  const columnOfRow = new Int32Array(rows).fill(-1);
  for (let column = 1; column <= columns; column++) {
    const row = rowOfColumn[column]!;
    if (row > 0) columnOfRow[row - 1] = column - 1;
  }
  return columnOfRow;
}
