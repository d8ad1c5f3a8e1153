// What pages do beyond links and forms. Everything here is an addition: without it, they work.

const each = (selector, act, root = document) => root.querySelectorAll(selector).forEach(act);

// Times: in the reader's zone, with UTC as the title.
const precise = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const brief = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" });
const ago = new Intl.RelativeTimeFormat(undefined, { numeric: "auto", style: "short" });
const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];

function relative(seconds) {
  const [unit, size] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? UNITS.at(-1);
  return ago.format(Math.round(seconds / size), unit);
}

function countdown(seconds) {
  if (seconds <= 0) return "now";
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, Math.floor(seconds) % 60];
  const padded = (number) => String(number).padStart(2, "0");
  return `in ${hours ? `${hours}:${padded(minutes)}` : minutes}:${padded(rest)}`;
}

function showTime(element) {
  const at = new Date(element.dateTime);
  if (Number.isNaN(at.getTime())) return;
  element.title ||= element.textContent.trim();
  const seconds = (at - Date.now()) / 1000;
  const style = element.dataset.time;
  const recent = Math.abs(seconds) < 86400;
  element.textContent =
    style === "countdown" ? countdown(seconds)
    : style === "ago" ? (recent ? relative(seconds) : brief.format(at))
    : precise.format(at);
}

const showTimes = (root = document) => each("time[data-time]", showTime, root);
setInterval(() => each('time[data-time="ago"], time[data-time="countdown"]', showTime), 1000);

// Pieces of a page that another page, or a newer state of this one, has too.
async function fetchPage(address, options = {}) {
  const response = await fetch(address, { ...options, headers: { accept: "text/html", ...options.headers } });
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  return { page, response };
}

function replace(old, fresh) {
  const open = new Set([...old.querySelectorAll("details[open][id]")].map((details) => details.id));
  fresh.querySelectorAll("details[id]").forEach((details) => { details.open ||= open.has(details.id); });
  if (old.isEqualNode(fresh)) return;
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  old.replaceWith(fresh);
  enliven(fresh);
  if (focused) twin(focused, fresh)?.focus({ preventScroll: true });
}

// The same control in a newer state of a piece: at the same place if it has no name of its own.
const twin = (old, fresh) => [...fresh.querySelectorAll(old.tagName)].find((element) =>
  ["id", "name", "href"].every((name) => element.getAttribute(name) === old.getAttribute(name))
    && element.parentElement.id === old.parentElement.id && element.textContent === old.textContent);

// <form data-swap="id">: sent behind the scenes; what it answers takes the place of that element.
async function sendAndSwap(event) {
  const form = event.target.closest("form[data-swap]");
  if (!form) return;
  event.preventDefault();
  const button = event.submitter ?? form.querySelector("button");
  if (button?.ariaBusy === "true") return;
  if (button) button.ariaBusy = "true";
  try {
    const { page, response } = await fetchPage(form.action, { method: "POST", body: new URLSearchParams(new FormData(form, event.submitter)) });
    const [old, fresh] = [document.getElementById(form.dataset.swap), page.getElementById(form.dataset.swap)];
    if (old && fresh) replace(old, fresh);
    else location.assign(response.redirected ? response.url : location.href);
  } catch {
    form.removeAttribute("data-swap");
    form.requestSubmit(event.submitter);
  } finally {
    if (button) button.ariaBusy = null;
  }
}
document.addEventListener("submit", sendAndSwap);

// A form is sent once, however often its button is pressed while the answer is on its way.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || event.defaultPrevented) return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
});
addEventListener("pageshow", () => each("form[data-sent]", (form) => { delete form.dataset.sent; }));

// data-copy="id of an element": its text goes to the clipboard.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copy);
  const text = source.value ?? source.textContent;
  const label = button.querySelector("[data-label-text]") ?? button;
  const before = label.textContent;
  try {
    await navigator.clipboard.writeText(text);
    label.textContent = "Copied";
  } catch {
    if (source.select) source.select();
    else getSelection().selectAllChildren(source);
    label.textContent = "Selected";
  }
  setTimeout(() => { label.textContent = before; }, 1500);
});

// data-generate="id of a field": a signing secret of 32 random bytes, in the clear so that it can be copied.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-generate]");
  if (!button) return;
  const field = document.getElementById(button.dataset.generate);
  field.type = "text";
  field.value = `whsec_${btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32))))}`;
  field.focus();
  field.select();
});

// <input data-check="address">: judged when the field is left; the verdict takes the place of the element `${id}-check`.
async function check(event) {
  const field = event.target;
  if (!field.dataset?.check || field.value === field.dataset.checked) return;
  field.dataset.checked = field.value;
  const body = new URLSearchParams({ csrf: field.form.elements.csrf.value, [field.name]: field.value });
  const { page } = await fetchPage(field.dataset.check, { method: "POST", body });
  const [old, fresh] = [document.getElementById(`${field.id}-check`), page.getElementById(`${field.id}-check`)];
  if (old && fresh) {
    old.replaceWith(fresh);
    field.ariaInvalid = fresh.dataset.valid === "false" ? "true" : "false";
  }
}
document.addEventListener("focusout", (event) => check(event).catch(() => {}));

// <select data-submits>: choosing is enough.
document.addEventListener("change", (event) => {
  if (event.target.matches?.("[data-submits]")) event.target.form.requestSubmit();
});

// data-live="address of a stream": what changed is read again. Rows that are there change in place; new ones wait behind a button,
// so that nothing moves under the eyes of a reader.
function follow(root) {
  let shown = null;
  const show = (state, text) => {
    shown = [state, text];
    each(".live", (element) => { element.dataset.state = state; element.textContent = text; }, root);
  };
  const stream = new EventSource(root.dataset.live);
  let waiting = false;
  const refresh = async () => {
    waiting = false;
    const { page, response } = await fetchPage(location.href);
    if (!response.ok || response.redirected) return;
    each("[data-live-region]", (old) => {
      const fresh = page.getElementById(old.id);
      if (fresh) replace(old, fresh);
    }, root);
    each("[data-live-rows]", (rows) => {
      const fresh = page.getElementById(rows.id);
      if (fresh) renewRows(rows, fresh);
    }, root);
    if (shown) show(...shown);
    goOn(page.getElementById(root.id)?.dataset.live);
  };
  // What is followed may change as well: a run until it ends, then what comes after it.
  const goOn = (next) => {
    if (!root.id || next === root.dataset.live) return;
    stream.close();
    if (next) {
      root.dataset.live = next;
      follow(root);
    } else {
      root.removeAttribute("data-live");
    }
  };
  const soon = () => {
    if (waiting) return;
    waiting = true;
    setTimeout(() => refresh().catch(() => {}), 300);
  };
  for (const kind of ["message", "delivery"]) stream.addEventListener(kind, soon);
  // What happened before the stream was there, or while it was away, is on none.
  stream.addEventListener("open", () => { show("on", "Live"); soon(); });
  stream.addEventListener("error", () => show("off", "Reconnecting"));
  addEventListener("pagehide", () => stream.close());
}

function renewRows(rows, fresh) {
  const known = new Map([...rows.children].map((row) => [row.id, row]));
  let added = 0;
  for (const row of [...fresh.children]) {
    const old = known.get(row.id);
    if (old) replace(old, row.cloneNode(true));
    else added += 1;
  }
  const news = document.querySelector(`[data-news="${rows.id}"]`);
  if (!news) return;
  news.hidden = added === 0;
  news.textContent = `${added === fresh.children.length && added > 1 ? `${added}+` : added} new`;
  news.onclick = (event) => {
    event.preventDefault();
    news.hidden = true;
    replace(rows, fresh);
    document.getElementById(rows.id).closest("[data-live]")?.scrollIntoView({ block: "nearest" });
  };
}

function enliven(root) {
  showTimes(root);
  each("[data-needs-script]", (element) => { element.hidden = false; }, root);
  if (root.matches?.("[autofocus]")) root.focus();
}

enliven(document);
each("[data-live]", follow);
