// Post test results to Slack through an incoming webhook. One file, no dependencies.
//
// It keeps no queue: while Slack refuses a message, it answers Preclinical with an error, and the
// delivery is retried 1, 5 and 30 minutes later and can be followed in the delivery history.

import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';

const PATH = '/webhook';
const BODY_LIMIT = 1024 * 1024;
const READ_MS = 4_000;
// With READ_MS well below the 15 seconds that Preclinical waits for an answer.
const SLACK_MS = 8_000;
const TOLERANCE_SECONDS = 5 * 60;
const REMEMBERED = 1_000;

// --- The message ---------------------------------------------------------------------------

/** The Slack message for a `test_run_completed` event. */
export function message({ test_run: run, results_url: url }) {
  const title = `${icon(run)} ${fit(run.name, 120)}: ${run.status}`;
  const rate = `${run.pass_rate} % passed`;
  const completed = Math.floor(Date.parse(run.completed_at) / 1000);
  return {
    // What notifications and screen readers get instead of the blocks.
    text: `${title}, ${rate}`,
    blocks: [
      { type: 'header', text: { type: 'plain_text', text: title, emoji: false } },
      {
        type: 'section',
        text: markdown(`*${rate}* (${run.passed_count} of ${run.total_scenarios} scenarios)`),
        fields: [
          field('Agent', run.agent_name),
          field('Duration', duration(run.duration_seconds)),
          field('Failed', run.failed_count),
          field('Errors', run.error_count),
        ],
      },
      {
        type: 'context',
        // Slack shows the date in the time zone of each reader.
        elements: [
          markdown(`${run.test_run_id} · <!date^${completed}^{date_short_pretty} {time}|${run.completed_at}>`),
        ],
      },
      {
        type: 'actions',
        elements: [
          { type: 'button', text: { type: 'plain_text', text: 'View results' }, url, action_id: 'view_results' },
        ],
      },
    ],
  };
}

function icon({ status, failed_count: failed, error_count: errors }) {
  if (status === 'failed') return '❌';
  if (status === 'canceled') return '⏹️';
  return failed + errors === 0 ? '✅' : '⚠️';
}

const field = (label, value) => markdown(`*${label}*\n${fit(String(value), 300)}`);

// `verbatim` keeps Slack from turning a name like "#general" or "example.com" into a link.
const markdown = (text) => ({ type: 'mrkdwn', text, verbatim: true });

/**
 * A name on one line, escaped and within `limit` (Slack takes 150 in a header, 2,000 in a field).
 * Unescaped, a run named `<!channel>` would call everybody. Characters are added one by one because
 * a cut through an escape or a surrogate pair would leave rubbish.
 */
function fit(text, limit) {
  let fitted = '';
  for (const character of text.replace(/\s+/g, ' ').trim()) {
    const escaped = ESCAPES[character] ?? character;
    if (fitted.length + escaped.length >= limit) return `${fitted}…`;
    fitted += escaped;
  }
  return fitted || '(no name)';
}

const ESCAPES = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

function duration(seconds) {
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

// --- Slack ---------------------------------------------------------------------------------

async function post(slackUrl, event) {
  let response;
  try {
    response = await fetch(slackUrl, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(message(event)),
      redirect: 'error',
      signal: AbortSignal.timeout(SLACK_MS),
    });
  } catch (error) {
    // Not the whole error: it may name the URL, and whoever knows that can post.
    throw new Refused(502, `Slack did not answer (${error.name})`);
  }
  const answer = (await response.text()).slice(0, 100);
  if (response.status === 429) {
    // Preclinical honours Retry-After on a 503, so Slack's wish reaches the one who waits.
    throw new Refused(503, 'Slack asks to wait', { 'Retry-After': response.headers.get('Retry-After') ?? '60' });
  }
  // Never Slack's own status: a 410 from here would disable the webhook in Preclinical.
  if (response.status !== 200) throw new Refused(502, `Slack refused the message: ${response.status} ${answer}`);
  return `posted ${event.test_run.test_run_id}`;
}

/**
 * Post once for each webhook-id, also when a retry overtakes an attempt that is still under way.
 * A redelivery from the history has a new id and posts again: somebody asked for it.
 */
function once(work) {
  const outcomes = new Map();
  return (id, event) => {
    if (!outcomes.has(id)) {
      const outcome = work(event);
      outcomes.set(id, outcome);
      outcome.catch(() => outcomes.delete(id));
      if (outcomes.size > REMEMBERED) outcomes.delete(outcomes.keys().next().value);
    }
    return outcomes.get(id);
  };
}

// --- The receiver --------------------------------------------------------------------------

class Refused extends Error {
  constructor(status, reason, headers = {}) {
    super(reason);
    Object.assign(this, { status, headers });
  }
}

/** Standard Webhooks; ../verify-node explains it. */
function isGenuine(headers, body, key) {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures } = headers;
  if (!id || !signatures || !/^\d+$/.test(timestamp)) return false;
  if (Math.abs(Date.now() / 1000 - Number(timestamp)) > TOLERANCE_SECONDS) return false;
  const digest = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64');
  const expected = Buffer.from(`v1,${digest}`);
  return signatures
    .split(' ')
    .map((signature) => Buffer.from(signature))
    .some((given) => given.length === expected.length && timingSafeEqual(given, expected));
}

async function receive(request, key, deliver) {
  if (request.url !== PATH) throw new Refused(404, `webhooks go to ${PATH}`);
  if (request.method !== 'POST') throw new Refused(405, 'only POST is accepted', { Allow: 'POST' });
  const body = await readBody(request);
  if (!isGenuine(request.headers, body, key)) throw new Refused(401, 'the signature is missing, wrong or too old');
  const event = parse(body);
  if (event.event !== 'test_run_completed' || event.is_test) {
    return `ignored: a ${event.is_test ? 'test' : 'different'} event`;
  }
  return deliver(request.headers['webhook-id'], event);
}

async function readBody(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    // Read to its end but not kept: hanging up would reach the sender as a broken connection.
    if (size <= BODY_LIMIT) chunks.push(chunk);
  }
  if (size > BODY_LIMIT) throw new Refused(413, `the body is larger than ${BODY_LIMIT} bytes`);
  return Buffer.concat(chunks);
}

function parse(body) {
  try {
    const event = JSON.parse(body);
    if (event.event && event.test_run.id) return event;
  } catch {
    // Falls through: not JSON and not an event are the same mistake.
  }
  throw new Refused(400, 'the body is not a Preclinical event');
}

function main({ PRECLINICAL_WEBHOOK_SECRET: secret = '', SLACK_WEBHOOK_URL: slackUrl = '', PORT = '0' }) {
  const key = secret.startsWith('whsec_') ? Buffer.from(secret.slice('whsec_'.length), 'base64') : Buffer.from(secret);
  if (key.length === 0 || !URL.canParse(slackUrl)) {
    console.error('PRECLINICAL_WEBHOOK_SECRET and SLACK_WEBHOOK_URL must be set');
    process.exit(1);
  }
  const deliver = once((event) => post(slackUrl, event));
  const limits = { requestTimeout: READ_MS, headersTimeout: READ_MS, connectionsCheckingInterval: 500 };
  const server = createServer(limits, async (request, response) => {
    try {
      const text = await receive(request, key, deliver);
      console.log(text);
      response.end(`${text}\n`);
    } catch (error) {
      if (request.errored) return; // The sender left or was too slow; nobody is listening.
      console.error(error instanceof Refused ? error.message : error);
      response.writeHead(error.status ?? 500, { ...error.headers, Connection: 'close' });
      response.end(`${error instanceof Refused ? error.message : 'the event could not be handled'}\n`);
    }
  });
  server.listen(Number(PORT), '127.0.0.1', () => {
    console.log(`listening on http://127.0.0.1:${server.address().port}`);
  });
  for (const signal of ['SIGTERM', 'SIGINT']) {
    process.once(signal, () => {
      server.close();
      setTimeout(() => server.closeAllConnections(), SLACK_MS).unref();
    });
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) main(process.env);
