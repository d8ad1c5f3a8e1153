<?php
// Serve it under /preclinical-webhook.
$secret = getenv('PRECLINICAL_WEBHOOK_SECRET');
$body = file_get_contents('php://input'); // the bytes as they came, before any parsing
$given = $_SERVER['HTTP_X_PRECLINICAL_SIGNATURE'] ?? '';

if (!hash_equals('sha256=' . hash_hmac('sha256', $body, $secret), $given)) {
    http_response_code(401);
    exit;
}

// Other kinds of events have no run: take them, and do nothing.
if ($run = json_decode($body, true)['test_run'] ?? null) {
    error_log("{$run['test_run_id']} {$run['status']} {$run['pass_rate']}");
}
http_response_code(204);
