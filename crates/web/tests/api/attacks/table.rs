//! The attacks.

use super::request::{
    Attack,
    Must::{self, Answered, FindNothing, Lead, Refused},
    Who::{self, Anybody, Key, Owner},
};

const fn attack(name: &'static str, who: Who, request: &'static str, must: Must) -> Attack {
    Attack { name, who, request, must }
}

const INVALID: Must = Refused(400, "INVALID_FIELD_VALUE");
const NO_JSON: Must = Refused(400, "INVALID_JSON");
const NO_KEY: Must = Refused(401, "UNAUTHORIZED");
const NOT_FOUND: Must = Refused(404, "NOT_FOUND");

pub(super) const ATTACKS: &[Attack] = &[
    // SQL where values of filters, orders, cursors and ids stand.
    attack("SQL as a search", Key, "GET /api/v1/webhooks/deliveries?q=%27%20OR%201%3D1%20--", FindNothing),
    attack(
        "SQL in other quotes as a search",
        Key,
        "GET /api/v1/webhooks/deliveries?q=%CA%BC%20OR%20%EF%BC%87%EF%BC%87%3D%EF%BC%87",
        FindNothing,
    ),
    attack("a pattern that matches all as a search", Key, "GET /api/v1/webhooks/deliveries?q=%25", FindNothing),
    attack(
        "a character that stands for any as a search",
        Key,
        "GET /api/v1/webhooks/deliveries?q=________-____-____-____-____________",
        FindNothing,
    ),
    attack("a NUL as a search", Key, "GET /api/v1/webhooks/deliveries?q=%00", FindNothing),
    attack("bytes that are no text as a search", Key, "GET /api/v1/webhooks/deliveries?q=%ff%fe", FindNothing),
    attack("SQL as a status", Key, "GET /api/v1/runs?status=%27%3BDROP%20TABLE%20runs--", INVALID),
    attack("SQL as the id of an agent", Key, "GET /api/v1/runs?agent_id=%27%20UNION%20SELECT%201--", INVALID),
    attack("SQL as a limit", Key, "GET /api/v1/runs?limit=1%3BSELECT%201", INVALID),
    attack("SQL as an offset", Key, "GET /api/v1/runs?offset=0%20UNION%20SELECT%201", INVALID),
    attack("an order of the caller's", Key, "GET /api/v1/runs?order_by=id%3B--", INVALID),
    attack("SQL as a cursor", Key, "GET /api/v1/webhooks/deliveries?cursor=%27%20OR%201%3D1--", INVALID),
    attack("a cursor made by the caller", Key, "GET /api/v1/webhooks/deliveries?cursor=AAAAAAAAAAAAAAAAAAAAAAAA", INVALID),
    attack("SQL as a time", Key, "GET /api/v1/webhooks/deliveries?created_after=2026-01-30%27--", INVALID),
    attack("SQL as the id of a run", Key, "GET /api/v1/runs/1%27%20OR%20%271%27%3D%271", Refused(404, "RUN_NOT_FOUND")),
    attack("SQL as the number of a run", Key, "GET /api/v1/runs/TR-00001%27--", Refused(404, "RUN_NOT_FOUND")),
    attack("SQL as the id of a delivery on a page", Owner, "GET /deliveries/%27%20OR%201%3D1--", Answered(404)),
    attack("SQL in the search box", Owner, "GET /deliveries?q=%27%20OR%201%3D1--", Answered(200)),
    attack("SQL as a filter of a page", Owner, "GET /runs?status=%27--", Answered(400)),
    // Numbers.
    attack("a negative limit", Key, "GET /api/v1/runs?limit=-1", INVALID),
    attack("an endless limit", Key, "GET /api/v1/runs?limit=99999999999999999999999999", INVALID),
    attack("a negative offset", Key, "GET /api/v1/runs?offset=-9223372036854775808", INVALID),
    attack("an offset behind everything", Key, "GET /api/v1/agents?offset=4294967295", FindNothing),
    attack("a page behind everything", Owner, "GET /runs?page=4294967295", Answered(200)),
    attack("a limit in Arabic digits", Key, "GET /api/v1/runs?limit=%D9%A1", INVALID),
    attack(
        "a run's number that is too large",
        Key,
        "GET /api/v1/runs/TR-18446744073709551616",
        Refused(404, "RUN_NOT_FOUND"),
    ),
    // Parameters that are there twice or are none.
    attack("a parameter twice", Key, "GET /api/v1/runs?limit=1&limit=100", INVALID),
    attack("a parameter as an array", Key, "GET /api/v1/runs?status[]=completed", INVALID),
    attack("a parameter behind a semicolon", Key, "GET /api/v1/runs?limit=1;limit=100", INVALID),
    attack("the key as a parameter", Anybody, "GET /api/v1/runs?api_key=sk_live_aaaa&access_token=x", NO_KEY),
    attack(
        "a field of a form twice, the token second",
        Owner,
        "POST /webhooks/{webhook}/disable\ncontent-type: application/x-www-form-urlencoded\n\ncsrf={foreign}&csrf={csrf}",
        Answered(403),
    ),
    // Bodies.
    attack(
        "JSON that is ten thousand arrays deep",
        Key,
        "POST /api/v1/agents\ncontent-type: application/json\n\n{\"config\":|10000 x [|10000 x ]|}",
        NO_JSON,
    ),
    attack(
        "JSON that is ten thousand objects deep",
        Key,
        "POST /api/v1/agents\ncontent-type: application/json\n\n{\"config\":|10000 x {\"a\":|1|10000 x }|}",
        NO_JSON,
    ),
    attack(
        "a number that is none",
        Key,
        "POST /api/v1/runs\ncontent-type: application/json\n\n{\"agent_id\":\"{agent}\",\"total_scenarios\":1e400}",
        NO_JSON,
    ),
    attack(
        "a number that is almost endless",
        Key,
        "POST /api/v1/runs\ncontent-type: application/json\n\n{\"agent_id\":\"{agent}\",\"total_scenarios\":1e300}",
        INVALID,
    ),
    attack(
        "a number of ten thousand digits",
        Key,
        "POST /api/v1/runs\ncontent-type: application/json\n\n{\"agent_id\":\"{agent}\",\"total_scenarios\":|10000 x 9|}",
        NO_JSON,
    ),
    attack(
        "a field twice",
        Key,
        "POST /api/v1/api-keys\ncontent-type: application/json\n\n{\"name\":\"a\",\"scope\":\"read\",\"scope\":\"write\"}",
        NO_JSON,
    ),
    attack(
        "a field twice, written in two ways",
        Key,
        "POST /api/v1/api-keys\ncontent-type: application/json\n\n{\"name\":\"a\",\"scope\":\"read\",\"sco\\u0070e\":\"write\"}",
        NO_JSON,
    ),
    attack(
        "ten thousand fields",
        Key,
        "POST /api/v1/agents\ncontent-type: application/json\n\n{\"provider\":\"vapi\",\"name\":\"a\",\"config\":{}|10000 x ,\"k{number}\":1|}",
        INVALID,
    ),
    attack(
        "half of a character",
        Key,
        "POST /api/v1/test-suites\ncontent-type: application/json\n\n{\"name\":\"\\ud800\"}",
        NO_JSON,
    ),
    attack(
        "bytes that are no text",
        Key,
        "POST /api/v1/test-suites\ncontent-type: application/json\n\n{\"name\":\"{broken}\"}",
        NO_JSON,
    ),
    attack(
        "a NUL in a name",
        Key,
        "POST /api/v1/test-suites\ncontent-type: application/json\n\n{\"name\":\"a\\u0000b\"}",
        INVALID,
    ),
    attack(
        "a body that is too long",
        Key,
        "POST /api/v1/agents\ncontent-type: application/json\n\n300000 x  ",
        Refused(413, "PAYLOAD_TOO_LARGE"),
    ),
    attack(
        "the field of a prototype",
        Key,
        "POST /api/v1/test-suites\ncontent-type: application/json\n\n{\"name\":\"a\",\"__proto__\":{\"scope\":\"write\"}}",
        INVALID,
    ),
    attack(
        "somebody else's organization",
        Key,
        "POST /api/v1/test-suites\ncontent-type: application/json\n\n{\"name\":\"a\",\"organization_id\":\"00000000-0000-4000-8000-000000000000\"}",
        INVALID,
    ),
    attack(
        "an operator where a text is",
        Key,
        "POST /api/v1/runs\ncontent-type: application/json\n\n{\"agent_id\":{\"$ne\":null}}",
        INVALID,
    ),
    // Types and encodings of bodies.
    attack(
        "a body that a form of another site could send",
        Key,
        "POST /api/v1/test-suites\ncontent-type: text/plain\n\n{\"name\":\"a\"}",
        Refused(415, "UNSUPPORTED_MEDIA_TYPE"),
    ),
    attack(
        "a body in parts",
        Key,
        "POST /api/v1/test-suites\ncontent-type: multipart/form-data; boundary=a\n\n--a",
        Refused(415, "UNSUPPORTED_MEDIA_TYPE"),
    ),
    attack(
        "a body in XML with an entity",
        Key,
        "POST /api/v1/test-suites\ncontent-type: application/xml\n\n<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]><a>&b;</a>",
        Refused(415, "UNSUPPORTED_MEDIA_TYPE"),
    ),
    attack(
        "a compressed body",
        Key,
        "POST /api/v1/test-suites\ncontent-type: application/json\ncontent-encoding: gzip\n\n\u{1f}{broken}\u{8}",
        NO_JSON,
    ),
    attack(
        "a body in another set of characters",
        Key,
        "POST /api/v1/test-suites\ncontent-type: application/json; charset=utf-7\n\n+AHsAIg-name+ACI:+ACI-a+ACIAfQ-",
        NO_JSON,
    ),
    // Who calls.
    attack("no key", Anybody, "GET /api/v1/api-keys", NO_KEY),
    attack("a key as basic credentials", Anybody, "GET /api/v1/api-keys\nauthorization: Basic c2tfbGl2ZTo=", NO_KEY),
    attack("an empty key", Anybody, "GET /api/v1/api-keys\nauthorization: Bearer ", NO_KEY),
    attack(
        "a token that says it needs no signature",
        Anybody,
        "GET /api/v1/api-keys\nauthorization: Bearer eyJhbGciOiJub25lIn0.eyJhZG1pbiI6dHJ1ZX0.",
        NO_KEY,
    ),
    attack("SQL as a key", Anybody, "GET /api/v1/api-keys\nauthorization: Bearer ' OR '1'='1", NO_KEY),
    attack("a session where a key is asked for", Owner, "GET /api/v1/api-keys", NO_KEY),
    attack(
        "a key where a session is asked for",
        Key,
        "GET /settings/api-keys",
        Lead("/sign-in?next=%2Fsettings%2Fapi-keys"),
    ),
    attack(
        "a session of the other cookie's name",
        Anybody,
        "GET /settings/api-keys\ncookie: session=planted; __Host-session=",
        Lead("/sign-in?next=%2Fsettings%2Fapi-keys"),
    ),
    attack("SQL as a session", Anybody, "GET /runs\ncookie: __Host-session=' OR 1=1--", Lead("/sign-in?next=%2Fruns")),
    attack(
        "headers of a proxy that nobody trusts",
        Anybody,
        "GET /api/v1/api-keys\nx-forwarded-user: admin\nx-forwarded-for: 127.0.0.1\nx-real-ip: 127.0.0.1\nforwarded: for=127.0.0.1",
        NO_KEY,
    ),
    // Methods.
    attack(
        "another method in a header",
        Key,
        "POST /api/v1/webhooks/{webhook}\nx-http-method-override: DELETE\nx-method-override: DELETE",
        Refused(405, "METHOD_NOT_ALLOWED"),
    ),
    attack("another method in a field", Owner, "GET /webhooks/{webhook}/delete?_method=POST", Answered(200)),
    attack("a method that traces", Key, "TRACE /api/v1/runs", Refused(405, "METHOD_NOT_ALLOWED")),
    attack("a method that connects", Key, "CONNECT /api/v1/runs", Refused(405, "METHOD_NOT_ALLOWED")),
    attack(
        "a question of another site's script",
        Anybody,
        "OPTIONS /api/v1/runs\norigin: https://evil.example\naccess-control-request-method: POST",
        Refused(405, "METHOD_NOT_ALLOWED"),
    ),
    // Forms of other sites.
    attack(
        "a form without a token",
        Owner,
        "POST /webhooks/{webhook}/disable\ncontent-type: application/x-www-form-urlencoded\n\na=b",
        Answered(403),
    ),
    attack(
        "a form with the token of another session",
        Owner,
        "POST /webhooks/{webhook}/delete\ncontent-type: application/x-www-form-urlencoded\n\ncsrf={foreign}",
        Answered(403),
    ),
    attack(
        "a form with an empty token",
        Owner,
        "POST /sign-out-everywhere\ncontent-type: application/x-www-form-urlencoded\n\ncsrf=",
        Answered(403),
    ),
    attack(
        "the token in the query",
        Owner,
        "POST /webhooks/{webhook}/disable?csrf={csrf}\ncontent-type: application/x-www-form-urlencoded\n\n",
        Answered(403),
    ),
    attack(
        "a form that another site sends",
        Owner,
        "POST /webhooks/{webhook}/disable\nsec-fetch-site: cross-site\ncontent-type: application/x-www-form-urlencoded\n\ncsrf={csrf}",
        Answered(403),
    ),
    attack(
        "a form that a neighbour sends",
        Owner,
        "POST /webhooks/{webhook}/disable\nsec-fetch-site: same-site\ncontent-type: application/x-www-form-urlencoded\n\ncsrf={csrf}",
        Answered(403),
    ),
    attack(
        "a form of another origin",
        Owner,
        "POST /webhooks/{webhook}/disable\norigin: https://other.example\ncontent-type: application/x-www-form-urlencoded\n\ncsrf={csrf}",
        Answered(403),
    ),
    attack(
        "a form of no origin",
        Owner,
        "POST /webhooks/{webhook}/disable\norigin: null\ncontent-type: application/x-www-form-urlencoded\n\ncsrf={csrf}",
        Answered(403),
    ),
    attack(
        "a form that is plain text",
        Owner,
        "POST /webhooks/{webhook}/disable\ncontent-type: text/plain\n\ncsrf={csrf}",
        Answered(415),
    ),
    attack(
        "a form in parts",
        Owner,
        "POST /webhooks/{webhook}/disable\ncontent-type: multipart/form-data; boundary=a\n\n--a",
        Answered(415),
    ),
    attack(
        "a form that is JSON",
        Owner,
        "POST /webhooks/{webhook}/disable\ncontent-type: application/json\n\n{\"csrf\":\"{csrf}\"}",
        Answered(415),
    ),
    attack("a link instead of a form", Owner, "GET /webhooks/{webhook}/disable?csrf={csrf}", Lead("/webhooks")),
    attack("a link that signs out", Owner, "GET /sign-out", Lead("/")),
    attack(
        "a sign-in that another site sends",
        Anybody,
        "POST /sign-in\nsec-fetch-site: cross-site\ncontent-type: application/x-www-form-urlencoded\n\nemail=a%40b.example&password=x",
        Answered(403),
    ),
    // Ways that lead elsewhere.
    attack("a way on to another host", Anybody, "GET /sign-in?next=%2F%2Fother.example", Answered(200)),
    attack("a page that is on another host", Anybody, "GET //other.example/%2e%2e", Answered(404)),
    attack(
        "a way back to another host",
        Owner,
        "POST /theme\nreferer: https://other.example//other.example/x\ncontent-type: application/x-www-form-urlencoded\n\ncsrf={csrf}&theme=dark",
        Lead("/"),
    ),
    attack(
        "a way back that ends a header",
        Anybody,
        "GET /runs?a=%0d%0aset-cookie:%20evil=1",
        Lead("/sign-in?next=%2Fruns%3Fa%3D%250d%250aset-cookie%3A%2520evil%3D1"),
    ),
    attack(
        "a host that is not ours",
        Anybody,
        "GET /runs\nhost: other.example\nx-forwarded-host: other.example\nx-original-url: /settings",
        Lead("/sign-in?next=%2Fruns"),
    ),
    attack(
        "the address of another host as the target",
        Anybody,
        "GET http://other.example/runs",
        Lead("/sign-in?next=%2Fruns"),
    ),
    // Paths.
    attack("a path above the assets", Anybody, "GET /assets/../../etc/passwd", NOT_FOUND),
    attack("a path above the assets, encoded", Anybody, "GET /assets/..%2f..%2fetc%2fpasswd", Answered(404)),
    attack("a path above the assets, encoded twice", Anybody, "GET /assets/%252e%252e%252fetc%252fpasswd", Answered(404)),
    attack("a path above the assets with backslashes", Anybody, "GET /assets/..%5c..%5cetc%5cpasswd", Answered(404)),
    attack("an asset with a NUL in its name", Anybody, "GET /assets/app.css%00.js", Answered(404)),
    attack("the source beside the program", Anybody, "GET /.git/config", NOT_FOUND),
    attack("the settings of the program", Anybody, "GET /.env", NOT_FOUND),
    attack("a path around the gate", Anybody, "GET /api/v1/health/../api-keys", NOT_FOUND),
    attack("a path in capitals", Anybody, "GET /API/V1/api-keys", NOT_FOUND),
    attack("a path with two slashes", Anybody, "GET //api/v1/api-keys", NOT_FOUND),
    attack("a parameter of the path", Anybody, "GET /api/v1/api-keys;x=/health", NOT_FOUND),
    // Headers.
    attack("a part of an answer", Key, "GET /api/v1/runs\nrange: bytes=0-1,0-1,0-1,0-1", Answered(200)),
    attack(
        "an id of a request that is a line of the log",
        Key,
        "GET /api/v1/agents?limit=0\nx-request-id: a status=200 evil.example",
        INVALID,
    ),
    attack(
        "a key of a repetition that is no text",
        Key,
        "POST /api/v1/test-suites\nidempotency-key: a b\ncontent-type: application/json\n\n{\"name\":\"a\"}",
        INVALID,
    ),
    attack(
        "a condition that is no tag",
        Key,
        "PUT /api/v1/webhooks/{webhook}\nif-match: \"0\ncontent-type: application/json\n\n{\"is_enabled\":false}",
        Answered(400),
    ),
    attack("a place in a stream that is none", Key, "GET /api/v1/stream\nlast-event-id: ' OR 1=1--", Answered(400)),
];
