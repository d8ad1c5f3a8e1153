// A webhook receiver on node:http. It listens on the loopback interface and speaks plain HTTP:
// TLS belongs to the proxy in front of it.

import { createServer } from 'node:http';
import { standardKey, VerificationError, verify } from './verify.mjs';

const PATH = '/webhook';
const BODY_LIMIT = 1024 * 1024;
const READ_MS = 5_000;

const secret = process.env.PRECLINICAL_WEBHOOK_SECRET ?? '';
if (standardKey(secret).length === 0) {
  console.error("PRECLINICAL_WEBHOOK_SECRET must hold the webhook's signing secret");
  process.exit(1);
}

class Refused extends Error {
  constructor(status, reason, headers = {}) {
    super(reason);
    Object.assign(this, { status, headers });
  }
}

// Your work goes here. If it throws, the answer is 500 and Preclinical tries again.
async function handle({ test_run: run }) {
  return `received ${run.test_run_id} ${run.status}, ${run.pass_rate} % passed`;
}

async function receive(request) {
  if (request.url !== PATH) throw new Refused(404, `webhooks go to ${PATH}`);
  if (request.method !== 'POST') throw new Refused(405, 'only POST is accepted', { Allow: 'POST' });
  const body = await readBody(request);
  try {
    verify(request.headers, body, secret);
  } catch (error) {
    throw error instanceof VerificationError ? new Refused(401, error.message) : error;
  }
  const event = parse(body);
  // The "Send test" button and events of the future must not look like results.
  if (event.event !== 'test_run_completed' || event.is_test) {
    return `ignored: a ${event.is_test ? 'test' : 'different'} event`;
  }
  return handle(event);
}

async function readBody(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    // An oversized body is read to its end but not kept: hanging up in the middle would reach the
    // sender as a broken connection instead of a 413. The server's requestTimeout bounds the time.
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

const limits = { requestTimeout: READ_MS, headersTimeout: READ_MS, connectionsCheckingInterval: 500 };
const server = createServer(limits, async (request, response) => {
  try {
    const text = await receive(request);
    console.log(text);
    response.end(`${text}\n`);
  } catch (error) {
    if (request.errored) return; // The sender left or was too slow; nobody is listening.
    if (!(error instanceof Refused)) console.error(error);
    response.writeHead(error.status ?? 500, { ...error.headers, Connection: 'close' });
    response.end(`${error instanceof Refused ? error.message : 'the event could not be handled'}\n`);
  }
});

server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, () => {
    server.close();
    // Requests under way may finish; one that is never completed must not hold up the end.
    setTimeout(() => server.closeAllConnections(), READ_MS).unref();
  });
}
