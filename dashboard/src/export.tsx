// What a list shows, as a file. Knows: CSV and JSON. The browser makes it: nothing is asked.
interface Of {
  name: string;
  rows: readonly object[];
}

function save(name: string, type: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type }));
  const anchor = document.createElement("a");
  anchor.href = address;
  anchor.download = name;
  anchor.target = "_self"; // not a page of the dashboard
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

/** Texts come from events: a spreadsheet must not take one for a formula. */
function cell(value: unknown): string {
  const told = value == null ? "" : Array.isArray(value) ? value.join(" ") : typeof value === "object" ? JSON.stringify(value) : String(value);
  const text = typeof value !== "number" && /^[=+\-@\t\r]/.test(told) ? `'${told}` : told;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function csv(rows: readonly object[]): string {
  const columns = [...new Set(rows.flatMap(Object.keys))];
  const lines = rows.map((row) => columns.map((column) => cell((row as Record<string, unknown>)[column])).join(","));
  return [columns.join(","), ...lines, ""].join("\r\n");
}

export function Export({ name, rows }: Of) {
  if (!rows.length) return null;
  return (
    <span class="small">
      Save as{" "}
      <button type="button" onClick={() => save(`${name}.csv`, "text/csv", csv(rows))}>
        CSV
      </button>{" "}
      <button type="button" onClick={() => save(`${name}.json`, "application/json", `${JSON.stringify(rows, null, 2)}\n`)}>
        JSON
      </button>
    </span>
  );
}
