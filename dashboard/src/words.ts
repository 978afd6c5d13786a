// How a word is meant: tone and glyph, so that colour never stands alone. As `hyperpod-state get` has them.
export type Tone = "fine" | "bad" | "poor" | "warn" | "busy" | "ended" | "unknown";

const TONES: Record<string, Tone> = {
  InService: "fine", resolved: "fine", Healthy: "fine", Completed: "fine", running: "fine", Passed: "fine", Succeeded: "fine", Updated: "fine", Replaced: "fine", Rebooted: "fine",
  Failed: "bad", critical: "bad", error: "poor", Unhealthy: "bad", RollbackFailed: "bad", stalled: "bad",
  Degraded: "warn", warning: "warn", open: "warn", RolledBack: "warn", Alarm: "warn", Skipped: "warn", recovering: "warn", unowned: "bad",
  Terminated: "ended", Deleted: "ended", info: "ended", retracted: "ended", None: "ended", NotRun: "ended", Superseded: "ended",
  Unknown: "unknown",
};
const GLYPHS: Record<string, string> = {
  Provisioning: "+", Creating: "+", LifecycleScript: "»", Replacing: "⇄", Patching: "↑", Updating: "↑", SystemUpdating: "↑",
  Rebooting: "↻", RollingBack: "↶", Terminating: "−", Deleting: "−", Scaling: "↔", Baking: "◷", critical: "‼", error: "✖",
};
const BY_TONE: Record<Tone, string> = { fine: "✔", bad: "✖", poor: "✖", warn: "▲", busy: "↻", ended: "·", unknown: "?" };

export const tone = (word: string): Tone => TONES[word] ?? "busy";
export const glyph = (word: string): string => GLYPHS[word] ?? BY_TONE[tone(word)];

export const SEVERITIES = ["critical", "error", "warning", "info"] as const;
export const rank = (severity: string): number => SEVERITIES.indexOf(severity as (typeof SEVERITIES)[number]);
export const PHASES = ["Failed", "RollingBack", "Replacing", "Patching", "Rebooting", "LifecycleScript", "Provisioning", "Terminating", "Unknown", "InService"];

/** What an answer that is partial lacks. */
export function lacking({ missing, stale }: { missing: number[]; stale: { partition: number }[] }): string {
  const told = [
    missing.length ? `partition ${missing.join(", ")} missing` : "",
    stale.length ? `partition ${stale.map((each) => each.partition).join(", ")} not current` : "",
  ].filter(Boolean);
  return told.join("; ") || "a worker does not answer";
}
/** `lifecycle_script_failed` for people. */
export const spoken = (word: string): string => word.replaceAll("_", " ");
export const plural = (n: number, one: string, many = `${one}s`): string => `${n.toLocaleString("en")} ${n === 1 ? one : many}`;
