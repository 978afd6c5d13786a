// Lanes on a canvas, in the colours of the style. Knows: spans in columns. A word or a sign is in each bar that has room for it.
import type { Timeline } from "./schema";
import { glyph, tone, type Tone } from "./words";

const GAP = 3;
const SIGN = 14;
const LETTER = 6.6;

interface Colours {
  paper: string;
  ink: string;
}

function colours(): (word: Tone) => Colours {
  const found = new Map<Tone, Colours>();
  const probe = document.body.appendChild(document.createElement("span"));
  return (word) => {
    if (!found.has(word)) {
      // The style knows light and dark; a canvas has to be told.
      probe.className = word === "poor" ? "fresh poor" : word;
      const { backgroundColor, color } = getComputedStyle(probe);
      found.set(word, { paper: backgroundColor, ink: color });
    }
    queueMicrotask(() => probe.remove());
    return found.get(word)!;
  };
}

export function draw(canvas: HTMLCanvasElement, told: Timeline, row: number): void {
  const start = performance.now();
  const dots = devicePixelRatio;
  const height = told.lanes.length * row;
  canvas.width = told.width * dots;
  canvas.height = height * dots;
  canvas.style.width = `${told.width}px`;
  canvas.style.height = `${height}px`;
  const pen = canvas.getContext("2d")!;
  pen.scale(dots, dots);
  pen.font = "12px system-ui, sans-serif";
  const colour = colours();
  told.lanes.forEach((lane, i) => {
    for (const [left, columns, code] of lane.spans) {
      const word = told.words[code]!;
      const { paper, ink } = colour(tone(word));
      pen.fillStyle = paper;
      // A hair between bars, as long as it leaves something of them.
      pen.fillRect(left, i * row + GAP, columns > 3 ? columns - 0.5 : columns, row - 2 * GAP);
      if (columns < SIGN) continue;
      pen.fillStyle = ink;
      const text = `${glyph(word)} ${word}`;
      pen.fillText(columns > text.length * LETTER + 6 ? text : glyph(word), left + 3, i * row + row - GAP - 5);
    }
  });
  performance.measure("timeline", { start });
}
