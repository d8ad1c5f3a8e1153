// Verify a Preclinical webhook. Node.js 18 or newer, no packages; copy this file into your project.
//
//     verify(request.headers, rawBody, secret);    // throws VerificationError
//     const event = JSON.parse(rawBody);
//
// `headers` has lower-case names, as `request.headers` of node:http. `rawBody` is a Buffer with the bytes as they came:
// JSON that was parsed and written again has another signature.

import { createHmac, timingSafeEqual } from 'node:crypto';

const TOLERANCE_SECONDS = 5 * 60;

/** The request does not come from somebody who knows the secret, or is too old. */
export class VerificationError extends Error {}

/** Prefer the Standard Webhooks signature, which covers the id and the time of the request as well as its body. */
export function verify(headers, body, secret) {
  if (headers['webhook-signature']) verifyStandard(headers, body, secret);
  else verifyPreclinical(headers, body, secret);
}

export function verifyStandard(headers, body, secret) {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures = '' } = headers;
  const hmac = createHmac('sha256', standardKey(secret)).update(`${id}.${timestamp}.`).update(body);
  const expected = `v1,${hmac.digest('base64')}`;
  // More than one signature: the secret is being changed, and old and new have both signed.
  if (!signatures.split(' ').some((given) => same(given, expected))) {
    throw new VerificationError('webhook-signature does not match');
  }
  checkFresh(Number(timestamp));
}

export function verifyPreclinical(headers, body, secret) {
  const expected = `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
  if (!same(headers['x-preclinical-signature'] ?? '', expected)) {
    throw new VerificationError('X-Preclinical-Signature is missing or does not match');
  }
  // This signature covers no header, so the time is the one in the body.
  checkFresh(Date.parse(JSON.parse(body).timestamp) / 1000);
}

/** The key of `whsec_<base64>` is the decoded part, that of any other secret its bytes. */
function standardKey(secret) {
  return secret.startsWith('whsec_') ? Buffer.from(secret.slice('whsec_'.length), 'base64') : Buffer.from(secret);
}

// In constant time: the time that `===` takes tells how much of a guess was right.
function same(given, expected) {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}

// A request that was recorded on its way must not work again later. (Written so that NaN is refused.)
function checkFresh(sent) {
  if (!(Math.abs(Date.now() / 1000 - sent) <= TOLERANCE_SECONDS)) {
    throw new VerificationError('signed more than five minutes ago, or one of the two clocks is wrong');
  }
}
