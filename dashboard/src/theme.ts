// Light or dark: what was chosen here, else what the system says.
import { signal } from "@preact/signals";

const kept = localStorage.getItem("hyperpod-state-theme");
export const theme = signal<"light" | "dark" | null>(kept === "light" || kept === "dark" ? kept : null);
const dark = () => (theme.value ? theme.value === "dark" : matchMedia("(prefers-color-scheme: dark)").matches);

export function toggleTheme(): void {
  theme.value = dark() ? "light" : "dark";
  localStorage.setItem("hyperpod-state-theme", theme.value);
  paint();
}

/** Grows whenever colours change: for what is painted, not styled. */
export const painted = signal(0);

export function paint(): void {
  if (theme.value) document.documentElement.dataset.theme = theme.value;
  document.querySelector('meta[name="color-scheme"]')?.setAttribute("content", theme.value ?? "light dark");
  painted.value++;
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => painted.value++);
