// Judges webhooks with code that is not ours: the package `standardwebhooks`, and node:crypto for the body's signature.
//
//     PRECLINICAL_WEBHOOK_SECRET=… LOG=requests.jsonl [FAIL=503x2] [PORT=…] node node_receiver.mjs
//
// Every request becomes a line of LOG before it is answered. FAIL=503x2 answers the first two requests with 503.

import { createHmac, timingSafeEqual } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';

const { Webhook } = createRequire(new URL('../node/package.json', import.meta.url))('standardwebhooks');
const { PRECLINICAL_WEBHOOK_SECRET: secret, LOG, FAIL = '200x0', PORT = '0' } = process.env;
// The library wants keys in base64, so that is what a secret that is its own key becomes.
const library = new Webhook(secret.startsWith('whsec_') ? secret : Buffer.from(secret).toString('base64'));
const [status, times] = FAIL.split('x').map(Number);
let failures = times;

function standard(headers, body) {
  try {
    library.verify(body, headers);
    return 'ok';
  } catch (error) {
    return error.message;
  }
}

function preclinical(headers, body) {
  const expected = Buffer.from(`sha256=${createHmac('sha256', secret).update(body).digest('hex')}`);
  const given = Buffer.from(headers['x-preclinical-signature'] ?? '');
  return given.length === expected.length && timingSafeEqual(given, expected) ? 'ok' : 'no match';
}

const server = createServer(async (request, response) => {
  const { headers } = request;
  const body = Buffer.concat(await request.toArray());
  const verdicts = { standard: standard(headers, body), preclinical: preclinical(headers, body) };
  const ok = verdicts.standard === 'ok' && verdicts.preclinical === 'ok';
  const event = ok ? JSON.parse(body) : {};
  const line = { ok, ...verdicts, event: event.event, run_id: event.test_run?.id, headers, body: body.toString() };
  appendFileSync(LOG, `${JSON.stringify(line)}\n`);
  response.writeHead(failures-- > 0 ? status : ok ? 200 : 401).end(ok ? 'node says ok' : 'node says no');
});
server.listen(Number(PORT), '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
