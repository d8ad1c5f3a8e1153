// Receive webhooks, verified, with node:http. Node.js 18 or newer, no packages.
//
//     PRECLINICAL_WEBHOOK_SECRET=… node receiver.mjs
//
//     PRECLINICAL_WEBHOOK_SECRET  the webhook's signing secret
//     PORT                        default 8000; it listens on 127.0.0.1, behind a proxy that speaks TLS
//
// The Slack example uses `serve` with a function of its own.

import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';
import { VerificationError, verify } from './verify.mjs';

const BODY_LIMIT = 1024 * 1024; // A webhook has about one kilobyte.

/** Pass every verified result to `handle`. If that throws, the answer is 500, and Preclinical tries again. */
export function serve(handle) {
  const secret = process.env.PRECLINICAL_WEBHOOK_SECRET;
  if (!secret) throw new Error('PRECLINICAL_WEBHOOK_SECRET is not set');

  async function respond(request) {
    if (request.method !== 'POST') return [405, 'only POST is accepted'];
    if (request.headers['content-length'] === undefined) return [411, 'Content-Length is required'];
    if (Number(request.headers['content-length']) > BODY_LIMIT) return [413, 'the body is too large'];
    const body = Buffer.concat(await request.toArray());
    try {
      verify(request.headers, body, secret);
    } catch (error) {
      if (error instanceof VerificationError) return [401, error.message];
      throw error;
    }
    const event = JSON.parse(body);
    // Test deliveries, and kinds of events that do not exist yet, are no results.
    if (event.event !== 'test_run_completed') return [200, `ignored an event "${event.event}"`];
    return [200, await handle(event)];
  }

  const server = createServer({ requestTimeout: 10_000 }, async (request, response) => {
    const [status, text] = await respond(request).catch((error) => {
      console.error(error);
      return [500, 'the event could not be handled'];
    });
    console.log(text);
    response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' }).end(`${text}\n`);
  });
  server.listen(process.env.PORT ?? 8000, '127.0.0.1', () => {
    console.log(`listening on http://127.0.0.1:${server.address().port}`);
  });
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  serve(({ test_run: run }) => `received ${run.test_run_id} ${run.status}, ${run.pass_rate} % passed`);
}
