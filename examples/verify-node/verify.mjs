// Verify a Preclinical webhook. No dependencies; copy this file into your project.
//
// `headers` has lower-case names, as in Node's `request.headers`. `body` is the raw body as a Buffer:
// parse the JSON after the check, never before, because re-serialized JSON has another signature.

import { createHmac, timingSafeEqual } from 'node:crypto';

const TOLERANCE_SECONDS = 5 * 60;

/** The request did not come from the holder of the secret, or not just now. */
export class VerificationError extends Error {}

/** Accept either scheme. Both are bound to a time, so leaving out headers gains an attacker nothing. */
export function verify(headers, body, secret, now = Date.now() / 1000) {
  const scheme = headers['webhook-signature'] === undefined ? verifyBody : verifyStandard;
  scheme(headers, body, secret, now);
}

/** Standard Webhooks: covers the id and the time of the attempt as well as the body. */
export function verifyStandard(headers, body, secret, now = Date.now() / 1000) {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures = '' } = headers;
  if (!id || !/^\d+$/.test(timestamp)) {
    throw new VerificationError('webhook-id or webhook-timestamp is missing or malformed');
  }
  checkFresh(Number(timestamp), now);
  const hmac = createHmac('sha256', standardKey(secret)).update(`${id}.${timestamp}.`).update(body);
  const expected = `v1,${hmac.digest('base64')}`;
  // While a secret is being rotated the header carries one signature for each secret.
  if (!signatures.split(' ').some((signature) => equal(signature, expected))) {
    throw new VerificationError('no signature in webhook-signature matches');
  }
}

/** X-Preclinical-Signature: covers the body, which holds the time of the attempt. */
export function verifyBody(headers, body, secret, now = Date.now() / 1000) {
  const expected = `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
  if (!equal(headers['x-preclinical-signature'] ?? '', expected)) {
    throw new VerificationError('X-Preclinical-Signature is missing or does not match');
  }
  checkFresh(timestampOf(body), now);
}

/** The HMAC key of a secret: decoded after `whsec_`, otherwise the text itself. */
export function standardKey(secret) {
  return secret.startsWith('whsec_') ? Buffer.from(secret.slice('whsec_'.length), 'base64') : Buffer.from(secret);
}

function timestampOf(body) {
  try {
    return Date.parse(JSON.parse(body).timestamp) / 1000;
  } catch {
    return NaN;
  }
}

function checkFresh(sent, now) {
  // Written so that NaN, an unreadable time, is refused too.
  if (!(Math.abs(now - sent) <= TOLERANCE_SECONDS)) {
    throw new VerificationError('the request was signed more than five minutes ago or ahead');
  }
}

function equal(given, expected) {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
