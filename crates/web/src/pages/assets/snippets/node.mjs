import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const secret = process.env.PRECLINICAL_WEBHOOK_SECRET;

function isGenuine(body, signature) {
  const expected = Buffer.from("sha256=" + createHmac("sha256", secret).update(body).digest("hex"));
  const given = Buffer.from(signature ?? "");
  return given.length === expected.length && timingSafeEqual(given, expected);
}

createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks); // the bytes as they came, before any parsing
  if (request.method !== "POST" || request.url !== "/preclinical-webhook") return response.writeHead(404).end();
  if (!isGenuine(body, request.headers["x-preclinical-signature"])) return response.writeHead(401).end();
  const { test_run } = JSON.parse(body);
  // Other kinds of events have no run: take them, and do nothing.
  if (test_run) console.log(test_run.test_run_id, test_run.status, test_run.pass_rate);
  response.writeHead(204).end();
}).listen(process.env.PORT ?? 8080);
