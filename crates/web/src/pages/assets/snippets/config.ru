# config.ru: run with `rackup`, or mount it in Rails.
require "json"
require "openssl"

def genuine?(body, signature)
  expected = "sha256=" + OpenSSL::HMAC.hexdigest("SHA256", ENV.fetch("PRECLINICAL_WEBHOOK_SECRET"), body)
  OpenSSL.secure_compare(expected, signature.to_s)
end

receiver = lambda do |env|
  body = env["rack.input"].read
  next [404, {}, []] unless env["REQUEST_METHOD"] == "POST" && env["PATH_INFO"] == "/preclinical-webhook"
  next [401, {}, []] unless genuine?(body, env["HTTP_X_PRECLINICAL_SIGNATURE"])

  # Other kinds of events have no run: take them, and do nothing.
  run = JSON.parse(body)["test_run"]
  puts "#{run["test_run_id"]} #{run["status"]} #{run["pass_rate"]}" if run
  [204, {}, []]
end

run receiver
