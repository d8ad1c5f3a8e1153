// Post the results of test runs to a Slack channel. Node.js 18 or newer, no packages.
//
//     PRECLINICAL_WEBHOOK_SECRET=… SLACK_WEBHOOK_URL=https://hooks.slack.com/services/… node slack.mjs
//
//     PRECLINICAL_WEBHOOK_SECRET  the webhook's signing secret
//     SLACK_WEBHOOK_URL           the incoming webhook that Slack made for the channel
//     PORT                        default 8000
//
// It needs no queue of its own: while Slack does not take a message, this answers with an error, and Preclinical tries
// again after 1, 5 and 30 minutes.

import { serve } from '../verify-node/receiver.mjs';

const { SLACK_WEBHOOK_URL } = process.env;
if (!SLACK_WEBHOOK_URL) throw new Error('SLACK_WEBHOOK_URL is not set');

const posted = new Set();

async function handle(event) {
  const run = event.test_run;
  // The same result can come twice; a run that was reopened and completed again has another completed_at.
  const result = `${run.id} ${run.completed_at}`;
  if (posted.has(result)) return `already posted ${run.test_run_id}`;
  const response = await fetch(SLACK_WEBHOOK_URL, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(message(event)),
    signal: AbortSignal.timeout(8_000), // Preclinical waits 15 seconds for the answer.
  });
  if (!response.ok) throw new Error(`Slack answered ${response.status} ${await response.text()}`);
  posted.add(result);
  return `posted ${run.test_run_id}`;
}

/** What Slack is told: `text` for notifications and screen readers, `blocks` for everybody else. */
function message({ test_run: run, results_url: url }) {
  const rate = `${run.pass_rate} % passed`;
  return {
    text: `${icon(run)} ${escape(run.name, 120)}: ${run.status}, ${rate}`,
    blocks: [
      section(`${icon(run)} *<${url}|${escape(run.name, 120)}>* ${run.status}`),
      section(`*${rate}* (${run.passed_count} of ${run.total_scenarios} scenarios)`, [
        `*Agent*\n${escape(run.agent_name, 120)}`,
        `*Duration*\n${run.duration_seconds} s`,
        `*Failed*\n${run.failed_count}`,
        `*Errors*\n${run.error_count}`,
      ]),
      { type: 'context', elements: [mrkdwn(`${run.test_run_id} · ${run.completed_at}`)] },
    ],
  };
}

function icon(run) {
  if (run.status === 'canceled') return '⏹️';
  if (run.status === 'failed') return '❌';
  return run.passed_count === run.total_scenarios ? '✅' : '⚠️';
}

function section(text, fields) {
  return { type: 'section', text: mrkdwn(text), ...(fields && { fields: fields.map(mrkdwn) }) };
}

// Without `verbatim`, Slack makes links of names such as "#general" and "example.com".
function mrkdwn(text) {
  return { type: 'mrkdwn', text, verbatim: true };
}

/** On one line, at most `limit` characters, and without power: a run named "<!channel>" would call everybody. */
function escape(text, limit) {
  const characters = [...text.replace(/\s+/g, ' ').trim()]; // Whole characters: a cut emoji would be rubbish.
  const short = characters.length > limit ? [...characters.slice(0, limit - 1), '…'] : characters;
  return short.join('').replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

serve(handle);
