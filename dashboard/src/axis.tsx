// Where each time of a timeline is, as its worker laid it out: pieces, some of them folded.
import { brief, span } from "./clock";
import type { Timeline } from "./schema";

const HIGH = 30;
const APART = 96;

/** The time of a column, to the second. */
export function timeAt(told: Timeline, column: number): string {
  const piece = told.pieces.filter((each) => each.column <= column).at(-1) ?? told.pieces[0]!;
  const [from, to] = [Date.parse(piece.from), Date.parse(piece.to)];
  const share = piece.width ? Math.min(1, Math.max(0, (column - piece.column) / piece.width)) : 0;
  return new Date(from + share * (to - from)).toISOString().replace(/\.\d+Z$/, "Z");
}

/** Times where pieces begin, and between as there is room; what is folded says how long it was. */
export function Axis({ of }: { of: Timeline }) {
  const ticks: number[] = [];
  for (const piece of of.pieces.filter((each) => !each.folded))
    for (let column = piece.column; column < Math.min(of.width - APART, piece.column + piece.width); column += APART)
      if (!ticks.length || column - ticks.at(-1)! >= APART - 6) ticks.push(column);
  return (
    <svg class="axis" width={of.width} height={HIGH} aria-hidden="true">
      {ticks.map((column) => (
        <g key={column}>
          <line x1={column + 0.5} x2={column + 0.5} y1={4} y2={HIGH} />
          <text x={column + 4} y={14}>
            {brief(timeAt(of, column))}
          </text>
        </g>
      ))}
      {of.pieces
        .filter((each) => each.folded)
        .map((each) => (
          <g key={each.column} class="fold">
            <rect x={each.column} y={HIGH - 12} width={each.width} height={12} />
            <text x={each.column + each.width / 2} y={HIGH - 2} text-anchor="middle">
              {span(Date.parse(each.to) - Date.parse(each.from)).replace(/ (\d+ min)$/, "")}
            </text>
          </g>
        ))}
    </svg>
  );
}
