// The software updates of a group, newest first, as `hyperpod-state get rollouts` has them.
import { Ago, Empty, Instance, Wide, Word } from "./bits";
import { moment, span, stamp } from "./clock";
import type { RolloutItem } from "./schema";
import { glyph, spoken, tone } from "./words";

const TONES: Record<string, string> = { updated: "Updated", failed: "Failed", rollback_failed: "Failed", skipped: "Skipped", rolled_back: "RolledBack", rolling_back: "RollingBack", prepared: "Patching", replacing_root_volume: "Patching", not_reached: "Unknown", gone: "Terminated" };
const UNDER_WAY = ["Scheduled", "InProgress", "Baking", "RollingBack"];

export function Rollouts({ items }: { items: RolloutItem[] }) {
  const [newest] = items;
  if (!newest)
    return (
      <Empty title="No software update is known of this group.">
        <p>The newest 20 of each group are kept.</p>
      </Empty>
    );
  return (
    <>
      <Newest of={newest} />
      <h3>All of them</h3>
      <Wide label="Rollouts">
        <table>
          <thead>
            <tr>
              <th scope="col">Outcome</th>
              <th scope="col">Begun</th>
              <th scope="col">Took</th>
              <th scope="col" class="right">
                Updated
              </th>
              <th scope="col" class="right">
                Skipped
              </th>
              <th scope="col" class="right">
                Failed
              </th>
              <th scope="col" class="right">
                Batches
              </th>
              <th scope="col">Bakes</th>
              <th scope="col" class="right">
                Left behind
              </th>
              <th scope="col">Ends</th>
            </tr>
          </thead>
          <tbody>
            {items.map((each) => (
              <tr key={each.scheduled ?? each.begun ?? each.ended}>
                <th scope="row">
                  <Word of={each.outcome} />
                </th>
                <td class="nowrap">{stamp(each.begun ?? each.scheduled)}</td>
                <td class="nowrap">{each.begun ? span((each.ended ? Date.parse(each.ended) : moment()) - Date.parse(each.begun)) : "-"}</td>
                <td class="right">
                  {each.instances.updated.length}/{each.total}
                </td>
                <td class="right">{each.instances.skipped.length}</td>
                <td class="right">{each.instances.failed.length + each.instances.rollback_failed.length}</td>
                <td class="right">{each.batches}</td>
                <td>{each.bakes.map((bake) => bake.result).join(", ") || "-"}</td>
                <td class="right">{each.residue ? each.residue.instances.length : "-"}</td>
                <td class="nowrap">{each.estimate?.ends_at ? `about ${stamp(each.estimate.ends_at)}` : stamp(each.ended)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Wide>
    </>
  );
}

/** The one that the question is about: how far it is, and who is where. */
function Newest({ of }: { of: RolloutItem }) {
  const going = UNDER_WAY.includes(of.outcome);
  const lists = Object.entries(of.instances).filter(([, ids]) => ids.length);
  const total = lists.reduce((sum, [, ids]) => sum + ids.length, 0);
  return (
    <div>
      <p class="sentence">
        <Word of={of.outcome} /> {going ? "since" : "begun"} <Ago time={of.begun ?? of.scheduled} />
        {going ? "" : " ago"}: {of.instances.updated.length} of {of.total} updated, {of.batches} {of.batches === 1 ? "batch" : "batches"}.{" "}
        {of.rollback && `Rolled back ${of.rollback.rolled_back} of the ${of.rollback.touched} it had touched. `}
        {of.estimate && (of.estimate.ends_at ? `It ends about ${stamp(of.estimate.ends_at)}, by ${of.estimate.n} earlier ones (${stamp(of.estimate.earliest)} to ${stamp(of.estimate.latest)}).` : `When it ends is not known: ${of.estimate.reason}.`)}
      </p>
      {total > 0 && (
        <div class="share" aria-hidden="true">
          {lists.map(([name, ids]) => (
            <span key={name} class={tone(TONES[name] ?? "")} style={{ flexGrow: ids.length }}>
              {glyph(TONES[name] ?? "")} {ids.length}
            </span>
          ))}
        </div>
      )}
      <dl class="lists">
        {lists.map(([name, ids]) => (
          <div key={name}>
            <dt>
              <span class={`glyph ${tone(TONES[name] ?? "")}`} aria-hidden="true">
                {glyph(TONES[name] ?? "")}
              </span>{" "}
              {spoken(name)} ({ids.length})
            </dt>
            <dd>
              {ids.map((id) => (
                <Instance key={id} id={id} />
              ))}
            </dd>
          </div>
        ))}
      </dl>
      {of.bakes.length > 0 && (
        <ul class="bakes">
          {of.bakes.map((bake, i) => (
            <li key={i}>
              Bake {i + 1}: <Word of={bake.result} /> {stamp(bake.begun)} to {stamp(bake.ended ?? bake.due)}
              {bake.alarms.length > 0 && <>, alarms: {bake.alarms.join(", ")}</>}
              {!bake.alarms.length && bake.watched.length > 0 && <>, watching {bake.watched.join(", ")}</>}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
