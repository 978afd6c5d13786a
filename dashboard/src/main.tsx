// Puts the page of the address under the header.
import { render } from "preact";
import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect } from "preact/hooks";
import "./style.css";
import { locked, unlock } from "./api";
import { Empty } from "./bits";
import { absolute } from "./clock";
import { Header } from "./header";
import { Help, listen } from "./keys";
import { beat, start } from "./live";
import { Anomalies } from "./pages/anomalies";
import { Cluster } from "./pages/cluster";
import { Fleet } from "./pages/fleet";
import { Group } from "./pages/group";
import { Instance } from "./pages/instance";
import { Machines } from "./pages/machines";
import { Patterns } from "./pages/patterns";
import { Pipeline } from "./pages/pipeline";
import { Palette } from "./palette";
import { paint } from "./theme";
import { at, link, route, set } from "./url";

function Page() {
  const here = route.value;
  switch (here.page) {
    case "fleet":
      return <Fleet />;
    case "cluster":
      return <Cluster key={here.cluster} name={here.cluster} />;
    case "group":
      return <Group key={`${here.cluster}/${here.group}`} cluster={here.cluster} name={here.group} />;
    case "instance":
      return <Instance key={here.id} id={here.id} />;
    case "anomalies":
      return <Anomalies />;
    case "patterns":
      return <Patterns />;
    case "machines":
      return <Machines />;
    case "pipeline":
      return <Pipeline />;
    case "unknown":
      return (
        <>
          <h1>No such page</h1>
          <Empty title="The dashboard has no page at this address.">
            <a href={link("/")}>To the fleet</a>
          </Empty>
        </>
      );
  }
}

/** The worker wants its token; it stays in this tab's session and goes into a header, never into an address. */
function Door() {
  const typed = useSignal("");
  return (
    <form
      class="door"
      onSubmit={(event) => {
        event.preventDefault();
        unlock(typed.value.trim());
        typed.value = "";
      }}
    >
      <h1>This worker wants its token</h1>
      {locked.value === "wrong" && (
        <p class="problem" role="alert">
          <span aria-hidden="true">✖</span> That was not it.
        </p>
      )}
      <p>
        It is what the worker has as <code>HYPERPOD_STATE_HTTP_TOKEN</code>. This tab keeps it until it is closed.
      </p>
      <label>
        Token{" "}
        <input type="password" name="token" autocomplete="off" required value={typed.value} onInput={(event) => (typed.value = event.currentTarget.value)} />
      </label>{" "}
      <button type="submit">Go on</button>
    </form>
  );
}

const TITLES = { fleet: "Fleet", anomalies: "Anomalies", patterns: "Patterns", machines: "Machines", pipeline: "Pipeline", unknown: "No such page" };
function title(): string {
  const here = route.value;
  const name = here.page === "cluster" ? here.cluster : here.page === "group" ? `${here.cluster}/${here.group}` : here.page === "instance" ? here.id : TITLES[here.page];
  return `${name} · hyperpod-state`;
}

function App() {
  const help = useSignal(false);
  const search = useSignal(false);
  // At once, not after the first paint: keys pressed while a slow browser still draws are not lost.
  useLayoutEffect(() => listen(() => (help.value = true), () => (search.value = true)), []);
  // An address written by hand may say -2h; from now on it means the same moment.
  const told = at.value && /^-/.test(at.value) && beat.value ? absolute(at.value) : null;
  useEffect(() => void (told && set({ at: told })), [told]);
  const named = title();
  useEffect(() => void (document.title = named), [named]);
  return (
    <>
      <Header help={() => (help.value = true)} search={() => (search.value = true)} />
      <main id="main" tabIndex={-1}>
        {locked.value ? <Door /> : <Page />}
      </main>
      <Palette open={search.value} close={() => (search.value = false)} />
      <Help open={help.value} close={() => (help.value = false)} />
    </>
  );
}

paint();
start();
render(<App />, document.getElementById("app")!);
