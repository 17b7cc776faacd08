// The page's own script: charts that answer, the map with its time, the list of events.
// It asks nobody for anything, builds no markup from text, and stores nothing.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  const COLOURS = 8; // the ninth is for all others
  const ROWS = 60; // events shown at once
  const LANES = 40; // workloads on Fargate shown at once
  const LISTED = 100; // tasks listed of a chosen box
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;

  /** An element with a class, a text and children. */
  function make(name, className, text, ...children) {
    const element = document.createElement(name);
    if (className) element.className = className;
    if (text) element.textContent = text;
    element.append(...children);
    return element;
  }

  const count = new Intl.NumberFormat("en-US");
  const plural = (number, one, many) => `${count.format(number)} ${number === 1 ? one : many}`;

  // ---- Time: ticks since the start of the run, shown as UTC.

  const days = data.end * data.tick > 86400e3;
  const day = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short", timeZone: "UTC" });
  const moment = (tick) => new Date(data.start + tick * data.tick);
  const hour = (tick) => moment(tick).toISOString().slice(11, 19);
  const clock = (tick) => `${day.format(moment(tick))}, ${hour(tick)}`;
  const short = (tick) => (days ? clock(tick) : hour(tick));

  /** A length of time in its two largest units. */
  function lasting(ticks) {
    const seconds = Math.floor((ticks * data.tick) / 1000);
    const parts = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
    let left = seconds;
    const words = [];
    for (const [size, unit] of parts) {
      const many = Math.floor(left / size);
      left -= many * size;
      if (many > 0 && words.length < 2) words.push(`${many} ${unit}`);
    }
    return words.join(" ") || "0 s";
  }

  const state = { now: 0, playing: false, fill: "cpu", only: null, listeners: [] };

  /** Moves the map, the marks of the charts and the list of events to a time. */
  function go(tick) {
    state.now = Math.min(Math.max(Math.round(tick), 0), data.end);
    for (const listener of state.listeners) listener();
  }

  // ---- Colours: one per workload, alike on every platform.

  const colours = new Map([["all others", COLOURS]]);
  const ranks = data.platforms.map((platform) => platform.map.workloads);
  for (let rank = 0; rank < Math.max(0, ...ranks.map((names) => names.length)); rank++) {
    for (const names of ranks) {
      const name = names[rank];
      if (name !== undefined && !colours.has(name)) colours.set(name, Math.min(colours.size - 1, COLOURS));
    }
  }
  const colour = (name) => (state.only !== null && state.only !== name ? "transparent" : `var(--w${colours.get(name) ?? COLOURS})`);
  const pale = (shade) => `color-mix(in srgb, ${shade} 45%, transparent)`;

  /** A bar or box filled from one end: pairs of a share and a colour. */
  function gradient(direction, parts) {
    const stops = [];
    let from = 0;
    for (const [share, shade] of parts) {
      const to = from + share * 100;
      const gap = Math.min(share * 100 * 0.25, 1);
      stops.push(`${shade} ${from.toFixed(2)}% ${(to - gap).toFixed(2)}%`, `transparent ${(to - gap).toFixed(2)}% ${to.toFixed(2)}%`);
      from = to;
    }
    return stops.length ? `linear-gradient(${direction}, ${stops.join(", ")}, transparent ${from.toFixed(2)}%)` : "none";
  }

  // ---- What runs where at a time: the same answer from both kinds of maps.

  /** Running sums of the columns that hold differences. */
  function summed(column) {
    let sum = 0;
    return column.map((by) => (sum += by));
  }

  /** What the things of a platform are called. */
  const wordsOf = ({ kubernetes }) => kubernetes
    ? { task: "pod", tasks: "pods", Task: "Pod", node: "node", nodes: "nodes", event: "pod", runs: "Running", stops: "has ended", registers: "is Ready", absent: "Not Ready at this time." }
    : { task: "task", tasks: "tasks", Task: "Task", node: "instance", nodes: "instances", event: "service", runs: "RUNNING", stops: "has stopped", registers: "has registered", absent: "Not registered at this time." };

  /** A map of single tasks. */
  function tasksMap(map, called) {
    const placed = summed(map.placed);
    const after = (column) => column.map((by, at) => (by < 0 ? Infinity : placed[at] + by));
    const started = after(map.started);
    const stopped = after(map.stopped);
    const cells = map.nodes.map(([name, pool, type, zone, cpu, memory, from, to], number) => ({
      name, pool: map.pools[pool], type: map.types[type], zone: map.zones[zone], cpu, memory, number,
      from: from < 0 ? Infinity : from, to: to < 0 ? Infinity : to,
    }));
    const name = (task) => (typeof map.name[task] === "number" ? `${map.workloads[map.workload[task]]}-${map.name[task]}` : map.name[task]);
    const size = (task) => map.sizes[map.size[task]];

    /** Boxes with their fills, and Fargate by workload. */
    function at(now) {
      const boxes = cells.map((cell) => ({ cell, machines: cell.from <= now && now < cell.to ? 1 : 0, tasks: [], parts: [] }));
      const lanes = new Map();
      let running = 0;
      let starting = 0;
      let waiting = 0;
      for (let task = 0; task < placed.length; task++) {
        if (now < placed[task] && now >= placed[task] - map.waited[task]) waiting++;
        if (placed[task] > now || stopped[task] <= now) continue;
        const runs = started[task] <= now;
        if (runs) running++; else starting++;
        const workload = map.workloads[map.workload[task]];
        if (map.node[task] < 0) {
          const lane = lanes.get(workload) ?? { workload, running: 0, starting: 0, tasks: [] };
          lane[runs ? "running" : "starting"]++;
          lane.tasks.push(task);
          lanes.set(workload, lane);
        } else {
          boxes[map.node[task]].tasks.push(task);
        }
      }
      const reserved = [0, 0, 0, 0]; // CPU, of; memory, of
      for (const box of boxes) {
        if (box.machines) { reserved[1] += box.cell.cpu; reserved[3] += box.cell.memory; }
        box.tasks.sort((a, b) => map.workload[a] - map.workload[b] || a - b);
        for (const task of box.tasks) {
          const [cpu, memory] = size(task);
          reserved[0] += cpu;
          reserved[2] += memory;
          const whole = state.fill === "cpu" ? box.cell.cpu : box.cell.memory;
          const shade = colour(map.workloads[map.workload[task]]);
          box.parts.push([whole > 0 ? (state.fill === "cpu" ? cpu : memory) / whole : 0, started[task] <= now ? shade : pale(shade)]);
        }
      }
      return { boxes, lanes, running, starting, waiting, reserved };
    }

    /** A row per task for the list of a chosen box. */
    const rows = (tasks) => tasks.map((task) => {
      const [cpu, memory] = size(task);
      const what = started[task] <= state.now ? called.runs : "starting";
      return [name(task), what, lasting(state.now - placed[task]), `${cpu / 1000} vCPU`, `${count.format(memory)} MiB`];
    });

    /** What a user sees besides the events of services. */
    function happenings() {
      const all = [];
      for (let task = 0; task < placed.length; task++) {
        if (stopped[task] === Infinity) continue;
        const why = map.stops[map.stop[task]] || "stopped";
        all.push({ at: stopped[task], kind: "task", of: map.workloads[map.workload[task]], text: `(${called.task} ${name(task)}) ${called.stops}. ${why}` });
      }
      for (const cell of cells) {
        const says = (at, what) => { if (at < Infinity) all.push({ at, kind: "instance", of: cell.pool, text: `(${called.node} ${cell.name}) ${what}: ${cell.type} in ${cell.zone}` }); };
        says(cell.from, called.registers);
        says(cell.to, "has been terminated");
      }
      return all;
    }
    return { cells, at, rows, happenings, kinds: new Set(map.node.map((node) => (node === -1 ? "fargate" : "node"))) };
  }

  /** A map of groups of machines at some instants. */
  function framesMap(map) {
    const kinds = 8; // per group: how many machines, then the share of each of the workloads
    const cells = map.cells.map(([name, pool, type, zone, machines], number) => ({ name, pool, type, zone, number, machines, cpu: machines }));
    function at(now) {
      let frame = 0;
      while (frame + 1 < map.at.length && map.at[frame + 1] <= now) frame++;
      const reserved = [0, 0, 0, 0];
      const boxes = cells.map((cell, number) => {
        const nth = frame * cells.length + number;
        const machines = map.cpu[nth * (kinds + 1)];
        const shares = { cpu: map.cpu.slice(nth * (kinds + 1) + 1, (nth + 1) * (kinds + 1)), memory: map.memory.slice(nth * kinds, (nth + 1) * kinds) };
        reserved[0] += machines * shares.cpu.reduce((a, b) => a + b, 0);
        reserved[1] += machines * 1000;
        reserved[2] += machines * shares.memory.reduce((a, b) => a + b, 0);
        reserved[3] += machines * 1000;
        const parts = shares[state.fill].map((share, kind) => [share / 1000, colour(map.workloads[kind])]).filter(([share]) => share > 0);
        return { cell, machines, tasks: null, parts };
      });
      const lanes = new Map();
      let running = 0;
      map.workloads.forEach((workload, kind) => {
        const many = map.fargate[frame * kinds + kind];
        running += many;
        if (many > 0) lanes.set(workload, { workload, running: many, starting: 0, tasks: [] });
      });
      return { boxes, lanes, running: null, starting: null, waiting: null, fargate: running, reserved };
    }
    const kind = new Set(cells.length ? ["node"] : []);
    if (map.fargate.some((many) => many > 0)) kind.add("fargate");
    return { cells, at, rows: () => [], happenings: () => [], kinds: kind };
  }

  // ---- The map: boxes by zone, Fargate by workload, a list of what a chosen one holds.

  const inOrder = new Intl.Collator("en", { numeric: true });

  function drawMap(platform, number) {
    const called = wordsOf(platform);
    const map = platform.map.kind === "tasks" ? tasksMap(platform.map, called) : framesMap(platform.map);
    const root = make("div", "map");
    root.dataset.platform = number;
    const summary = make("p", "now");
    const zones = make("div", "zones");
    const chosen = make("div", "chosen");
    chosen.hidden = true;
    root.append(make("h3", "", platform.name), summary, zones, chosen);
    let selected = null; // a cell, or the name of a workload on Fargate
    const buttons = new Map(); // of cells, by number
    const largest = Math.max(1, ...map.cells.map((cell) => cell.cpu));
    const roomy = map.cells.length <= 30;
    if (roomy) root.classList.add("roomy");
    if (map.cells.length > 80) root.classList.add("dense");
    const zoneHeads = new Map();

    const sorted = [...map.cells].sort((a, b) => inOrder.compare(a.zone, b.zone) || inOrder.compare(a.pool, b.pool) || inOrder.compare(a.name, b.name));
    for (const cell of sorted) {
      if (!zoneHeads.has(cell.zone)) {
        const head = make("span");
        const cells = make("div", "cells");
        zoneHeads.set(cell.zone, { head, cells });
        zones.append(make("div", "zone", "", make("h4", "", cell.zone || "no zone", head), cells));
      }
      const box = make("span", "box");
      box.style.height = `${Math.round((26 + 62 * Math.sqrt(cell.cpu / largest)) * (roomy ? 1.5 : 1))}px`;
      const words = make("span", "unseen");
      const button = make("button", "cell", "", box, make("span", "name", cell.name), make("span", "name type", cell.type), words);
      button.type = "button";
      button.tabIndex = -1;
      button.addEventListener("click", () => choose(selected === cell ? null : cell));
      buttons.set(cell.number, { button, box, words, drawn: null });
      zoneHeads.get(cell.zone).cells.append(button);
    }
    const lanes = make("div");
    const laneHead = make("span");
    if (map.kinds.has("fargate")) {
      zones.append(make("div", "zone all", "", make("h4", "", "Fargate", laneHead), lanes));
    }
    const laneButtons = new Map();
    const busiest = {};

    function choose(what) {
      selected = what;
      draw();
    }

    /** Only one box is a stop of the tabulator; arrows go on from there. */
    function rove(event) {
      const all = [...zones.querySelectorAll("button:not(.gone)")];
      const at = all.indexOf(document.activeElement);
      const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
      if (at < 0 || to === undefined || !all[to]) return;
      event.preventDefault();
      for (const button of all) button.tabIndex = -1;
      all[to].tabIndex = 0;
      all[to].focus();
    }
    zones.addEventListener("keydown", rove);

    function draw() {
      const now = map.at(state.now);
      summary.textContent = sentence(platform, now);
      const alive = new Map();
      for (const { cell, machines, tasks, parts } of now.boxes) {
        const known = buttons.get(cell.number);
        const { button, box } = known;
        button.classList.toggle("gone", machines === 0);
        if (machines === 0) continue;
        alive.set(cell.zone, (alive.get(cell.zone) ?? 0) + machines);
        const fill = gradient("to top", parts);
        if (known.drawn !== fill) box.style.backgroundImage = known.drawn = fill;
        const full = Math.round(parts.reduce((sum, part) => sum + part[0], 0) * 100);
        const held = tasks === null ? plural(machines, called.node, called.nodes) : plural(tasks.length, called.task, called.tasks);
        const words = `${held}, ${full} % of the ${state.fill === "cpu" ? "CPU" : "memory"} reserved`;
        if (known.words.textContent !== words) { known.words.textContent = words; button.title = `${cell.name}, ${cell.type}: ${words}`; }
        button.setAttribute("aria-pressed", String(selected === cell));
      }
      for (const [zone, { head }] of zoneHeads) head.textContent = plural(alive.get(zone) ?? 0, called.node, called.nodes);
      drawLanes(now);
      const stops = [...zones.querySelectorAll("button:not(.gone)")];
      if (stops.length && !stops.some((button) => button.tabIndex === 0)) stops[0].tabIndex = 0;
      drawChosen(now);
    }

    function drawLanes(now) {
      if (!map.kinds.has("fargate")) return;
      let tasks = 0;
      for (const lane of now.lanes.values()) {
        tasks += lane.running + lane.starting;
        busiest.most = Math.max(busiest.most ?? 12, lane.running + lane.starting);
        if (!laneButtons.has(lane.workload) && laneButtons.size < LANES) addLane(lane.workload);
      }
      laneHead.textContent = plural(tasks, "task", "tasks") + (laneButtons.size === LANES ? `, the first ${LANES} workloads` : "");
      for (const [workload, { button, bar, many, starts }] of laneButtons) {
        const lane = now.lanes.get(workload) ?? { running: 0, starting: 0 };
        const shade = colour(workload);
        const each = 1 / busiest.most;
        const few = busiest.most <= 60;
        const parts = [];
        for (const [number, tint] of [[lane.running, shade], [lane.starting, pale(shade)]]) {
          if (few) for (let task = 0; task < number; task++) parts.push([each, tint]);
          else if (number) parts.push([number * each, tint]);
        }
        bar.style.backgroundImage = gradient("to right", parts);
        many.textContent = count.format(lane.running + lane.starting);
        starts.textContent = lane.starting ? `, ${count.format(lane.starting)} of them starting` : "";
        button.setAttribute("aria-pressed", String(selected === workload));
      }
    }

    function addLane(workload) {
      const bar = make("span", "bar");
      const many = make("b");
      const starts = make("span", "unseen");
      const button = make("button", "lane", "", make("span", "", workload), bar, many, starts);
      button.type = "button";
      button.tabIndex = -1;
      button.title = workload;
      button.addEventListener("click", () => choose(selected === workload ? null : workload));
      laneButtons.set(workload, { button, bar, many, starts });
      const names = [...laneButtons.keys()].sort((a, b) => inOrder.compare(a, b));
      lanes.append(...names.map((name) => laneButtons.get(name).button));
    }

    function drawChosen(now) {
      const box = selected && now.boxes.find((box) => box.cell === selected);
      const tasks = box ? box.tasks : now.lanes.get(selected)?.tasks;
      chosen.hidden = selected === null || platform.map.kind !== "tasks";
      if (chosen.hidden) return;
      const head = box ? `${selected.name}: ${selected.type} in ${selected.zone}, ${selected.cpu / 1000} vCPU, ${count.format(selected.memory)} MiB` : `${selected} on Fargate`;
      const rows = map.rows((tasks ?? []).slice(0, LISTED));
      const table = make("table", "lines");
      const titles = [called.Task, "State", "Since placement", "CPU", "Memory"].map((title) => { const cell = make("th", "", title); cell.scope = "col"; return cell; });
      table.append(make("thead", "", "", make("tr", "", "", ...titles)));
      table.append(make("tbody", "", "", ...rows.map((row) => make("tr", "", "", ...row.map((text) => make("td", "", text))))));
      const area = make("div", "scroll", "", table);
      area.tabIndex = 0;
      area.setAttribute("role", "region");
      area.setAttribute("aria-label", `${called.Task}s of ${head}`);
      const more = (tasks?.length ?? 0) - rows.length;
      const none = box && box.machines === 0 ? called.absent : `No ${called.task} at this time.`;
      chosen.replaceChildren(make("h4", "", head), rows.length ? area : make("p", "soft", none), ...(more > 0 ? [make("p", "soft", `And ${count.format(more)} more.`)] : []));
    }

    state.listeners.push(draw);
    byId("maps").append(root);
    return map;
  }

  /** What holds on a platform at this time, in a sentence. */
  function sentence(platform, now) {
    const value = (key, line) => {
      const chart = platform.charts.find((chart) => chart.key === key);
      const at = chart && Math.floor((state.now * data.tick) / chart.step);
      const points = chart?.lines[line];
      return points?.length ? points[Math.min(at, points.length - 1)] / 1000 : null;
    };
    const called = wordsOf(platform);
    const said = [];
    const machines = now.boxes.reduce((sum, box) => sum + box.machines, 0);
    if (now.boxes.length) said.push(plural(machines, called.node, called.nodes));
    const running = now.running ?? value("tasks", 1);
    if (running !== null) said.push(`${plural(running, called.task, called.tasks)} running`);
    if (now.starting) said.push(`${count.format(now.starting)} starting`);
    if (now.waiting) said.push(`${count.format(now.waiting)} waiting for a place`);
    const percent = (part, whole) => `${Math.round((part / whole) * 100)} %`;
    if (now.reserved[1] > 0) said.push(`CPU ${percent(now.reserved[0], now.reserved[1])} reserved`);
    if (now.reserved[3] > 0) said.push(`memory ${percent(now.reserved[2], now.reserved[3])} reserved`);
    const spent = value("spent", 0);
    if (spent !== null) said.push(`${spent.toFixed(2)} USD spent so far`);
    return said.join(" · ") || "Nothing runs.";
  }

  function drawLegend() {
    const list = make("ul", "legend row");
    const named = [...colours].filter(([, number]) => number < COLOURS);
    const others = colours.size - named.length - 1;
    const summedUp = data.platforms.some((platform) => platform.map.kind === "frames");
    for (const [name, number] of named) {
      const button = make("button", "", "", make("i", `w${number}`), name);
      button.type = "button";
      button.title = `Show ${name} alone`;
      button.setAttribute("aria-pressed", "false");
      button.addEventListener("click", () => {
        state.only = state.only === name ? null : name;
        for (const other of list.querySelectorAll("button")) other.setAttribute("aria-pressed", String(other === button && state.only === name));
        go(state.now);
      });
      list.append(make("li", "", "", button));
    }
    if (others > 0 || summedUp) list.append(make("li", "row", "", make("i", "w8"), summedUp ? "all others" : plural(others, "other workload", "other workloads")));
    if (named.length) byId("maps").before(list);
  }

  // ---- The player.

  function drawPlayer(events) {
    const [slider, play, output] = [byId("when"), byId("play"), byId("clock")];
    const second = 1000 / data.tick;
    const steps = [1, 5, 10, 30, 60, 300, 600, 1800, 3600].map((step) => step * second);
    slider.max = String(data.end);
    slider.step = String(steps.find((step) => data.end / step <= 500) ?? Math.ceil(data.end / 500));
    slider.addEventListener("input", () => { stop(); go(Number(slider.value)); });
    slider.addEventListener("keydown", (event) => {
      if (event.key === " ") { event.preventDefault(); toggle(); }
      const far = { ArrowLeft: -10, ArrowRight: 10 }[event.key];
      if (far && event.shiftKey) { event.preventDefault(); stop(); go(state.now + far * Number(slider.step)); }
    });
    play.addEventListener("click", toggle);
    byId("fill").addEventListener("change", (event) => { state.fill = event.target.value; go(state.now); });
    byId("before").addEventListener("click", () => { stop(); const known = events.filter((event) => event.at < state.now).at(-1); if (known) go(known.at); });
    byId("after").addEventListener("click", () => { stop(); const next = events.find((event) => event.at > state.now); if (next) go(next.at); });
    let last = null;

    function toggle() { if (state.playing) stop(); else start(); }
    function start() {
      state.playing = true;
      play.textContent = "Pause";
      if (state.now >= data.end) go(0);
      last = null;
      requestAnimationFrame(frame);
    }
    function stop() {
      state.playing = false;
      play.textContent = "Play";
    }
    let exact = 0; // play does not lose parts of ticks
    function frame(time) {
      if (!state.playing) return;
      if (last === null) { last = time; exact = state.now; }
      const wait = still ? 500 : 30;
      if (time - last >= wait) {
        exact += (data.end * Math.min(time - last, 1000)) / (Number(byId("speed").value) * 1000);
        last = time;
        go(exact);
        if (state.now >= data.end) stop();
      }
      requestAnimationFrame(frame);
    }
    state.listeners.push(() => {
      slider.value = String(state.now);
      slider.setAttribute("aria-valuetext", `${clock(state.now)} UTC`);
      output.textContent = `${clock(state.now)} UTC`;
    });
  }

  // ---- The events.

  /** All events, in the order of time: what services said, stopped tasks, instances. */
  function gather(maps) {
    const all = [];
    data.platforms.forEach((platform, number) => {
      const { at, service, sentence, numbers, services, sentences } = platform.events;
      let tick = 0;
      let next = 0;
      at.forEach((by, nth) => {
        tick += by;
        const of = services[service[nth]];
        const text = sentences[sentence[nth]].replace(/[\u0001\u0002]/g, (mark) => (mark === "\u0001" ? of : String(numbers[next++])));
        all.push({ at: tick, kind: wordsOf(platform).event, of, text, platform: number });
      });
      for (const event of maps[number].happenings()) all.push({ ...event, platform: number });
    });
    return all.sort((a, b) => a.at - b.at);
  }

  function drawEvents(events) {
    const [rows, counted, words, follow] = [byId("event-rows"), byId("events-count"), byId("words"), byId("follow")];
    const many = data.platforms.length > 1;
    let shown = events;
    let from = 0;
    let drawn = "";

    function filter() {
      const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
      const platform = byId("of-platform")?.value ?? "";
      const kind = byId("of-kind").value;
      shown = events.filter((event) => {
        if (kind && event.kind !== kind) return false;
        if (platform !== "" && event.platform !== Number(platform)) return false;
        if (!wanted.length) return true;
        const text = `${event.of} ${event.text} ${data.platforms[event.platform].name}`.toLowerCase();
        return wanted.every((word) => text.includes(word));
      });
      from = 0;
      drawn = "";
      counted.textContent = shown.length === events.length ? plural(events.length, "event", "events") : `${count.format(shown.length)} of ${plural(events.length, "event", "events")}`;
      draw();
    }

    /** The number of events up to now, by halving. */
    function reached() {
      let [low, high] = [0, shown.length];
      while (low < high) {
        const middle = (low + high) >> 1;
        if (shown[middle].at <= state.now) low = middle + 1; else high = middle;
      }
      return low;
    }

    function draw() {
      const current = reached() - 1;
      if (follow.checked && (current < from || current >= from + ROWS)) from = current;
      from = Math.min(Math.max(from, 0), Math.max(shown.length - 1, 0));
      const key = `${from} ${current} ${shown.length}`;
      if (key === drawn) return;
      drawn = key;
      const inside = rows.contains(document.activeElement) && document.activeElement !== rows;
      rows.replaceChildren(...shown.slice(from, from + ROWS).map((event, nth) => row(event, from + nth === current)));
      byId("events-before").disabled = from === 0;
      byId("events-after").disabled = from + ROWS >= shown.length;
      const marked = rows.querySelector("[aria-current]");
      if (inside) (marked ?? rows).querySelector("button")?.focus({ preventScroll: true });
      if (follow.checked) rows.scrollTop = marked ? marked.offsetTop - rows.offsetTop - rows.clientHeight / 3 : 0;
    }

    function row(event, current) {
      const at = make("button", "", short(event.at));
      at.type = "button";
      at.title = "Move the map to this time";
      at.addEventListener("click", () => go(event.at));
      const of = many ? data.platforms[event.platform].name : event.of;
      const item = make("li", "", "", at, make("span", "of", of), make("span", "says", event.text));
      if (current) item.setAttribute("aria-current", "time");
      return item;
    }

    let waiting = 0;
    words.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(filter, 120); });
    for (const id of ["of-platform", "of-kind"]) byId(id)?.addEventListener("change", filter);
    follow.addEventListener("change", () => { drawn = ""; draw(); });
    const turn = (by) => { follow.checked = false; from += by; drawn = ""; draw(); rows.scrollTop = 0; };
    byId("events-before").addEventListener("click", () => turn(-ROWS));
    byId("events-after").addEventListener("click", () => turn(ROWS));
    state.listeners.push(draw);
    filter();
  }

  // ---- Charts.

  const charts = [];

  /** What a variable of the style comes to, since a canvas knows no variables. */
  function shade(name, alpha) {
    const probe = make("span");
    probe.style.color = alpha ? `color-mix(in srgb, var(${name}) ${alpha}%, transparent)` : `var(${name})`;
    document.body.append(probe);
    const { color } = getComputedStyle(probe);
    probe.remove();
    return color;
  }

  const value = (unit) => (u, number) => (number === null || number === undefined ? "" : `${count.format(Number(number.toPrecision(5)))} ${unit}`);

  /** Marks of a time axis: hours, or days where hours would be too many. */
  function instants(u, splits, nth, space, step) {
    return splits.map((at, place) => {
      const tick = (at * 1000 - data.start) / data.tick;
      const midnight = hour(tick) === "00:00:00";
      if (step >= 86400) return day.format(moment(tick)).replace(",", "");
      const words = step < 60 ? hour(tick) : hour(tick).slice(0, 5);
      return place === 0 || midnight ? `${words}\n${day.format(moment(tick)).replace(",", "")}` : words;
    });
  }

  function axis(more) {
    const grid = { stroke: shade("--line"), width: 1 };
    return { stroke: shade("--soft"), grid, ticks: grid, font: "12px system-ui, sans-serif", ...more };
  }

  function drawCharts() {
    for (const { plot } of charts.splice(0)) plot.destroy();
    for (const place of document.querySelectorAll("[data-chart]")) {
      const [number, key] = place.dataset.chart.split(" ");
      place.replaceChildren();
      if (number === "starts") drawStarts(place);
      else drawOverTime(place, Number(number), key);
      const words = place.parentElement.querySelector(".still title")?.textContent ?? "";
      const canvas = place.querySelector("canvas");
      canvas?.setAttribute("role", "img");
      canvas?.setAttribute("aria-label", words);
    }
    setTimeout(placeMarks); // a chart is drawn, and its legend emptied, right after this
  }

  function drawOverTime(place, number, key) {
    const chart = data.platforms[number].charts.find((chart) => chart.key === key);
    if (!chart) return;
    const seconds = chart.lines[0].map((_, nth) => (data.start + nth * chart.step) / 1000);
    const lines = chart.lines.map((line) => line.map((point) => point / 1000));
    const highest = Math.max(...data.platforms.flatMap((platform) => platform.charts.filter((other) => other.key === key).flatMap((other) => other.lines.flat()))) / 1000;
    const stepped = uPlot.paths[key === "spent" ? "linear" : "stepped"]({ align: 1 });
    const series = chart.names.map((label, nth) => ({
      label, stroke: shade(`--w${nth}`), width: 2, paths: stepped, points: { show: false }, value: value(chart.unit),
      fill: nth === chart.tinted ? shade(`--w${nth}`, 18) : undefined,
    }));
    const mark = make("div", "mark");
    const plot = new uPlot({
      width: Math.max(place.clientWidth, 200), height: 220, series: [{ value: (u, at) => (at === null ? "" : short(((at * 1000) - data.start) / data.tick)), label: "at" }, ...series],
      tzDate: (at) => uPlot.tzDate(new Date(at * 1000), "Etc/UTC"),
      scales: { y: { range: (u, low, high) => [0, Math.max(highest, high || 0) * 1.05 || 1] } },
      axes: [axis({ values: instants, space: 56 }), axis({ size: 56 })],
      cursor: { sync: { key: "time" }, drag: { x: true, y: false } },
      padding: [8, 28, 0, 0],
      hooks: { ready: [(u) => u.over.append(mark)], draw: [(u) => placeMark(u, mark)] },
    }, [seconds, ...lines], place);
    plot.over.addEventListener("mouseleave", () => setTimeout(placeMarks));
    clicked(plot, (left) => go((plot.posToVal(left, "x") * 1000 - data.start) / data.tick));
    charts.push({ plot, place, mark });
  }

  /** A click that is not the end of a drag. */
  function clicked(plot, act) {
    let down = null;
    plot.over.addEventListener("mousedown", (event) => { down = event.clientX; });
    plot.over.addEventListener("click", (event) => {
      if (down !== null && Math.abs(event.clientX - down) < 4) act(plot.cursor.left);
    });
  }

  /** The time of the map in every chart, and the values at that time under it while no pointer is over it. */
  function placeMarks() {
    for (const { plot, mark } of charts.filter((chart) => chart.mark)) {
      placeMark(plot, mark);
      if (plot.cursor.left < 0) plot.setLegend({ idx: plot.valToIdx((data.start + state.now * data.tick) / 1000) });
    }
  }

  function placeMark(plot, mark) {
    const at = (data.start + state.now * data.tick) / 1000;
    mark.hidden = !(at >= plot.scales.x.min && at <= plot.scales.x.max);
    mark.style.left = `${plot.valToPos(at, "x")}px`;
  }

  function drawStarts(place) {
    const tables = data.starts.map(({ points }) => [points.map(([ms]) => Math.max(ms, 1) / 1000), points.map(([, share]) => share / 100)]);
    if (!tables.length) return;
    const all = [...new Set(tables.flatMap(([seconds]) => seconds))].sort((a, b) => a - b);
    const columns = tables.map(([seconds, shares]) => {
      let nth = -1;
      return all.map((second) => {
        while (nth + 1 < seconds.length && seconds[nth + 1] <= second) nth++;
        return nth < 0 ? 0 : shares[nth];
      });
    });
    const words = (seconds) => {
      const [size, unit] = [[86400, "d"], [3600, "h"], [60, "m"], [1, "s"]].find(([size]) => seconds >= size) ?? [0.001, "ms"];
      return `${Number((seconds / size).toPrecision(3))}${unit}`;
    };
    const round = [0.001, 0.01, 0.1, 0.3, 1, 3, 10, 30, 60, 180, 600, 1800, 3600, 10800, 43200, 345600, 31536000000];
    const first = Math.max(0, round.findLastIndex((tick) => tick <= all[0]));
    const last = round.findIndex((tick) => tick >= all.at(-1));
    const ticks = round.slice(first, last < 0 ? round.length : Math.max(last, first + 1) + 1);
    const series = data.starts.map(({ name }, nth) => ({ label: name, stroke: shade(`--w${nth % 9}`), width: 2, paths: uPlot.paths.stepped({ align: 1 }), points: { show: false }, value: (u, share) => (share === null ? "" : `${share.toFixed(1)} %`) }));
    const plot = new uPlot({
      width: Math.max(place.clientWidth, 200), height: 260, series: [{ label: "within", value: (u, at) => (at === null ? "" : words(at)) }, ...series],
      scales: { x: { time: false, distr: 3, range: (u, low, high) => (low === all[0] && high === all.at(-1) ? [ticks[0], ticks.at(-1)] : [low, high]) }, y: { range: [0, 100] } },
      padding: [8, 28, 0, 0],
      axes: [axis({ splits: () => ticks, filter: (u, splits) => splits, values: (u, splits) => splits.map((split) => (split === null ? "" : words(split))) }), axis({ size: 56, values: (u, splits) => splits.map((split) => `${split} %`) })],
      cursor: { drag: { x: true, y: false } },
    }, [all, ...columns], place);
    charts.push({ plot, place, mark: null });
  }

  // ---- Light and dark.

  function drawTheme() {
    const root = document.documentElement;
    const system = matchMedia("(prefers-color-scheme: dark)");
    const dark = () => root.classList.contains("dark") || (system.matches && !root.classList.contains("light"));
    const tell = () => { byId("theme").textContent = dark() ? "Light" : "Dark"; byId("theme").setAttribute("aria-label", dark() ? "Light page" : "Dark page"); };
    byId("theme").addEventListener("click", () => {
      const next = dark() ? "light" : "dark";
      root.classList.remove("light", "dark");
      root.classList.add(next);
      tell();
      drawCharts();
    });
    system.addEventListener("change", () => { tell(); drawCharts(); });
    tell();
  }

  // ---- All together.

  document.documentElement.classList.add("live");
  const maps = data.platforms.map(drawMap);
  drawLegend();
  const events = gather(maps);
  drawPlayer(events);
  drawEvents(events);
  state.listeners.push(placeMarks);
  drawTheme();
  drawCharts();
  new ResizeObserver(() => {
    for (const { plot, place } of charts) if (place.clientWidth > 0 && place.clientWidth !== plot.width) plot.setSize({ width: place.clientWidth, height: plot.height });
    setTimeout(placeMarks);
  }).observe(document.querySelector("main"));
  const open = [];
  addEventListener("beforeprint", () => { for (const each of document.querySelectorAll("details:not([open])")) { each.open = true; open.push(each); } });
  addEventListener("afterprint", () => { for (const each of open.splice(0)) each.open = false; });
  go(data.end / 2);
})();
